-- Removes chunks that a writer has sent, unless they are published.
-- KEYS: token (not used), hashes of chunks.
for number = 2, #KEYS do
  if redis.call('HEXISTS', KEYS[number], 'p') == 0 then redis.call('UNLINK', KEYS[number]) end
end
return 'ok'
