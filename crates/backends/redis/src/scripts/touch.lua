-- Changes the modified time. KEYS: token, header. ARGV from 5: time.
local before = answered()
if before then return before end
if not redis.call('HGET', KEYS[2], 'v') then return answer('missing') end
redis.call('HSET', KEYS[2], 'm', ARGV[5])
return answer('ok')
