-- Removes some of the objects below a prefix. KEYS: token, index. ARGV from 5: from, to, at most.
local before = answered()
if before then return before end
local paths = redis.call('ZRANGE', KEYS[2], ARGV[5], ARGV[6], 'BYLEX', 'LIMIT', 0, ARGV[7])
local removed = 0
for _, path in ipairs(paths) do
  local header = ARGV[1] .. 'o:' .. path
  local old = redis.call('HMGET', header, 'v', 'b')
  if old[1] then
    removed = removed + 1
    retire(old[2])
    redis.call('DEL', header)
  end
  redis.call('ZREM', KEYS[2], path)
end
return answer(#paths .. ' ' .. removed)
