-- Moves an object. KEYS: token, header, index, the other header. ARGV from 5: path, the other path,
-- mode, expected version.
local before = answered()
if before then return before end
if not redis.call('HGET', KEYS[2], 'v') then return answer('missing') end
local old = redis.call('HMGET', KEYS[4], 'v', 'b')
local no = refused(ARGV[7], ARGV[8], old[1])
if no then return answer(no) end
redis.call('ZADD', KEYS[3], 0, ARGV[6])
retire(old[2])
redis.call('RENAME', KEYS[2], KEYS[4])
redis.call('ZREM', KEYS[3], ARGV[5])
return answer('ok')
