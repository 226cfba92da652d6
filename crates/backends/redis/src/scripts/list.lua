-- Some entries of a listing, with what their headers say. KEYS: token (not used), index. ARGV from 4:
-- where to begin, length of the prefix, what every key begins with, '1' for one level, at most.
-- Gives where to go on, or '' at the end, and for each entry its key alone or with its fields.
local from, below, starts = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local one_level, left = ARGV[7] == '1', tonumber(ARGV[8])
local found = {''}
while left > 0 do
  local batch = redis.call('ZRANGE', KEYS[2], from, '+', 'BYLEX', 'LIMIT', 0, math.min(left, 200))
  if #batch == 0 then return found end
  for _, path in ipairs(batch) do
    if string.sub(path, 1, #starts) ~= starts then return found end
    left = left - 1
    local slash = one_level and string.find(path, '/', below + 1, true)
    if slash then
      found[#found + 1] = {string.sub(path, 1, slash - 1)}
      -- '0' follows '/': on to what does not lie below.
      from = '[' .. string.sub(path, 1, slash - 1) .. '0'
      break
    end
    from = '(' .. path
    local fields = redis.call('HMGET', ARGV[1] .. 'o:' .. path, 'v', 's', 'm', 'ct', 'cc', 'md', 'hs')
    -- One without a header has expired.
    if fields[1] then
      table.insert(fields, 1, path)
      found[#found + 1] = fields
    end
  end
end
found[1] = from
return found
