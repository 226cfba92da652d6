-- KEYS[1] is a token's key in every script that changes something, and ARGV[1] what all keys begin
-- with. ARGV[2] is '1' where the answer is to be kept for a repetition of the request.
local CHUNK, GROUP, PER_GROUP = 65536, 8388608, 128
local GRACE = tonumber(ARGV[3])

local function group(blob, number)
  return ARGV[1] .. 'c:' .. blob .. ':' .. string.format('%d', number)
end

local function each_group(segments, visit)
  for blob, size in string.gmatch(segments or '', '([^:,]+):(%d+)') do
    for number = 0, math.ceil(tonumber(size) / GROUP) - 1 do
      visit(group(blob, number))
    end
  end
end

-- Leaves chunks to those who are reading them, for a time.
local function retire(segments)
  each_group(segments, function(key) redis.call('PEXPIRE', key, GRACE) end)
end

local function answered()
  return redis.call('GET', KEYS[1])
end

local function answer(text)
  if ARGV[2] == '1' then redis.call('SET', KEYS[1], text, 'EX', 60) end
  return text
end

-- Why a mode forbids a write, if it does.
local function refused(mode, expected, actual)
  if mode == 'n' and actual then return 'exists' end
  if mode == 'v' and actual ~= expected then return 'version ' .. (actual or '') end
end
