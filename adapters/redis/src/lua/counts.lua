-- ARGV: workspace, flow, from, to. Answers the counters of each minute.
local ws, flow, from, to = unpack(ARGV)
local of, found = ws .. US .. flow, {}
for _, minute in ipairs(call('ZRANGEBYSCORE', ROOT .. ':mx:' .. of, from, '(' .. to)) do
  found[#found + 1] = call('HGETALL', ROOT .. ':m:' .. of .. US .. minute)
end
return found
