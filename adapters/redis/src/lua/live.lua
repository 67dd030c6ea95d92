-- ARGV: workspace, flow, version or nothing, when to wake them, the place to go on from.
-- Wakes a part of them; answers the next place, 0 at the end.
local ws, flow, version, wake_at, cursor = unpack(ARGV)
local set = ROOT .. ':n:' .. ws .. US .. flow .. (version ~= '' and US .. version or '')
local page = call('SSCAN', set, cursor, 'COUNT', 500)
for _, session in ipairs(page[2]) do
  local contact = call('HGET', session_key(ws, session), 'c')
  local id = ws .. US .. contact
  local key = conversation(id)
  local due, q, claims, lease_end = unpack(call('HMGET', key, 'd', 'q', 'n', 'u'))
  if claims and not q and (not due or tonumber(due) > tonumber(wake_at)) then
    call('HSET', key, 'd', wake_at)
    file(id, wake_at, false, tonumber(claims), lease_end)
  end
end
return page[1]
