-- ARGV: workspace, flow, from and to in the order of places, limit. Answers places and entries.
local ws, flow, from, to, limit = unpack(ARGV)
local found = {}
for _, place in ipairs(call('ZRANGEBYLEX', ROOT .. ':jx:' .. ws .. US .. flow, from, to, 'LIMIT', 0, limit)) do
  local session, seq = string.match(place, '^%d+:([^:]+):0*(%d+)$')
  local _, _, entry = split(call('HGET', ROOT .. ':j:' .. ws .. US .. session, seq), 3)
  found[#found + 1] = { place, entry }
end
return found
