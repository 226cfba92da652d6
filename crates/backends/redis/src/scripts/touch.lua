-- Changes the modified time. KEYS: token, header. ARGV from 4: time.
if not redis.call('HGET', KEYS[2], 'v') then return 'missing' end
redis.call('HSET', KEYS[2], 'm', ARGV[4])
return 'ok'
