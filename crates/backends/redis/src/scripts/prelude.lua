-- KEYS[1] is, in every script that changes what others see, where the answer to the request that
-- ARGV[2] names is kept for its repetition, for ARGV[4] seconds. ARGV[1] is what all keys begin with,
-- ARGV[3] how long replaced chunks stay.
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

-- Other requests were answered there before.
local function answered()
  local kept, id = redis.call('GET', KEYS[1]), ARGV[2] .. ' '
  if kept and string.sub(kept, 1, #id) == id then return string.sub(kept, #id + 1) end
end

local function answer(text)
  -- A server without memory still answers what needs none.
  redis.pcall('SET', KEYS[1], ARGV[2] .. ' ' .. text, 'EX', ARGV[4])
  return text
end

-- Why a mode forbids a write, if it does.
local function refused(mode, expected, actual)
  if mode == 'n' and actual then return 'exists' end
  if mode == 'v' and actual ~= expected then return 'version ' .. (actual or '') end
end
