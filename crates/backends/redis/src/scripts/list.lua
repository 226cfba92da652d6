-- Some entries of a listing, with what their headers say. KEYS: token (not used), index. ARGV from 5:
-- where to begin, length of the prefix, what every key begins with, '1' for one level, at most.
-- Gives where to go on, or '' at the end, and for each entry its key alone or with its fields.
local from, below, starts = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local one_level, left = ARGV[8] == '1', tonumber(ARGV[9])
local found, ask = {''}, 200
while left > 0 do
  local batch = redis.call('ZRANGE', KEYS[2], from, '+', 'BYLEX', 'LIMIT', 0, math.min(left, ask))
  if #batch == 0 then return found end
  ask = math.min(ask * 2, 200)
  for _, path in ipairs(batch) do
    if string.sub(path, 1, #starts) ~= starts then return found end
    left = left - 1
    from = '(' .. path
    local fields = redis.call('HMGET', ARGV[1] .. 'o:' .. path, 'v', 's', 'm', 'ct', 'cc', 'md', 'hs')
    local slash = one_level and string.find(path, '/', below + 1, true)
    if not fields[1] then
      -- It has expired. Not everybody who may list may tidy up.
      redis.pcall('ZREM', KEYS[2], path)
    elseif slash then
      found[#found + 1] = {string.sub(path, 1, slash - 1)}
      -- '0' follows '/': on to what does not lie below, which may be one path.
      from, ask = '[' .. string.sub(path, 1, slash - 1) .. '0', 1
      break
    else
      table.insert(fields, 1, path)
      found[#found + 1] = fields
    end
  end
end
found[1] = from
return found
