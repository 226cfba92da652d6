-- Removes an object. KEYS: token, header, index. ARGV from 5: path.
local before = answered()
if before then return before end
local old = redis.call('HMGET', KEYS[2], 'v', 'b')
if not old[1] then
  -- It may have expired.
  redis.call('ZREM', KEYS[3], ARGV[5])
  return answer('missing')
end
retire(old[2])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[5])
return answer('ok')
