-- Keeps chunks that a writer has sent from expiring for a while, unless they are published.
-- KEYS: token (not used), hash of chunks. ARGV from 5: milliseconds.
if redis.call('HEXISTS', KEYS[2], 'p') == 1 then return 'published' end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 'ok'
