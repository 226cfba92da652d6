-- Puts an object in the place of what is there, or adds to it.
-- KEYS: token, header, index. ARGV from 5: path, mode, expected version, version, life in
-- milliseconds or 0, kind of content (i: inline, s: staged), content, size, then fields of the header.
local path, mode, expected, version = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local life, kind, content, size = tonumber(ARGV[9]), ARGV[10], ARGV[11], tonumber(ARGV[12])
local header, index = KEYS[2], KEYS[3]

local before = answered()
if before then return before end
local old = redis.call('HMGET', header, 'v', 's', 'b', 'd')
local no = refused(mode, expected, old[1])
if no then return answer(no) end

if kind == 's' then
  -- All of it must have arrived, and none may have expired.
  for number = 0, math.ceil(size / GROUP) - 1 do
    local left = math.ceil((size - number * GROUP) / CHUNK)
    local there = redis.call('HLEN', group(content, number))
    if there ~= math.min(left, PER_GROUP) then return answer('staging') end
  end
end

-- First, so that a server without memory refuses before anything is changed.
redis.call('ZADD', index, 0, path)
local segments, inline = nil, nil
if kind == 's' then segments = content .. ':' .. ARGV[12] else inline = content end

if mode == 'a' and old[1] then
  segments, inline = old[3] or nil, old[4] or nil
  if kind == 's' then
    if inline and #inline > 0 then
      redis.call('HSET', group(version .. 'i', 0), '0', inline)
      segments = version .. 'i:' .. string.format('%d', #inline)
    end
    inline = nil
    segments = (segments and segments .. ',' or '') .. content .. ':' .. ARGV[12]
  elseif inline and #inline + #content <= CHUNK then
    inline = inline .. content
  elseif #content > 0 then
    local blob, length = version, 0
    local tail, rest = inline or '', ''
    if segments then
      rest, blob, length = string.match(segments, '^(.-),?([^:,]+):(%d+)$')
      length = tonumber(length)
      local at = length - length % CHUNK
      tail = ''
      if at < length then
        local place = group(blob, math.floor(at / GROUP))
        tail = redis.call('HGET', place, string.format('%d', at / CHUNK % PER_GROUP))
        if not tail then return redis.error_reply('CORRUPT the last chunk is missing') end
        tail = string.sub(tail, 1, length - at)
        if redis.call('HEXISTS', place, 'p') == 1 then
          -- A part that is repeated may arrive late, and nothing but itself is to be there then.
          if at > 0 then rest = (#rest > 0 and rest .. ',' or '') .. blob .. ':' .. string.format('%d', at) end
          if at % GROUP == 0 then redis.call('PEXPIRE', place, GRACE) end
          blob, at = version, 0
        end
      end
      length = at
    end
    local bytes = tail .. content
    for from = 0, #bytes - 1, CHUNK do
      local number = (length + from) / CHUNK
      local place = group(blob, math.floor(number / PER_GROUP))
      local piece = string.sub(bytes, from + 1, from + CHUNK)
      redis.call('HSET', place, string.format('%d', number % PER_GROUP), piece)
    end
    segments = (#rest > 0 and rest .. ',' or '') .. blob .. ':' .. string.format('%d', length + #bytes)
    inline = nil
  end
  size = tonumber(old[2]) + size
  redis.call('HDEL', header, 'd', 'b', 'hs')
else
  retire(old[3])
  redis.call('DEL', header)
end

local total = string.format('%d', size)
local fields = {'v', version, 's', total}
if segments then
  fields[#fields + 1] = 'b'
  fields[#fields + 1] = segments
else
  fields[#fields + 1] = 'd'
  fields[#fields + 1] = inline
end
for at = 13, #ARGV do fields[#fields + 1] = ARGV[at] end
redis.call('HSET', header, unpack(fields))
local staged = kind == 's' and content .. ':' .. ARGV[12] or nil
-- From here on these chunks stay, whatever of their writer's arrives late.
each_group(staged, function(key) redis.call('HSET', key, 'p', '') end)
if life > 0 then
  redis.call('PEXPIRE', header, life)
  each_group(segments, function(key) redis.call('PEXPIRE', key, life + GRACE) end)
else
  -- What is added to an object that was to expire makes all of it stay.
  local all = redis.call('PERSIST', header) == 1
  each_group(all and segments or staged, function(key) redis.call('PERSIST', key) end)
end
return answer('ok ' .. total)
