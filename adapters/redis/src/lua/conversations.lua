-- ARGV: workspace, q (set aside) or x (with dead letters), after which contact, limit.
local ws, kind, after, limit = unpack(ARGV)
local found = {}
for _, contact in ipairs(call('ZRANGEBYLEX', ROOT .. ':' .. kind .. ':' .. ws, after, '+', 'LIMIT', 0, limit)) do
  found[#found + 1] = { contact, call('HGET', conversation(ws .. US .. contact), 'r') }
end
return found
