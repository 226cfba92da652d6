-- Removes some of the objects below a prefix. KEYS: token, index. ARGV from 4: from, to, at most.
local paths = redis.call('ZRANGE', KEYS[2], ARGV[4], ARGV[5], 'BYLEX', 'LIMIT', 0, ARGV[6])
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
return {#paths, removed}
