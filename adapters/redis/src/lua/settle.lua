-- ARGV: workspace, contact, token, revision, watermark, due or nothing, 1 to set it aside.
local ws, contact, token, seen, given, due, aside = unpack(ARGV)
local id = ws .. US .. contact
local key = conversation(id)
local revision, settled, lease_token, lease_end, old_due, q = unpack(call('HMGET', key, 'v', 's', 't', 'u', 'd', 'q'))
if not revision or not is_held_by(token, lease_token, lease_end, time()) then return { 'lost' } end
if tonumber(given) > tonumber(settled) then settled = given end
call('HSET', key, 's', settled, 'n', 0)
if revision ~= seen then
  file(id, old_due, q, 0)
  return { 'conflict', settled }
end
call('HDEL', key, 't', 'u')
if due == '' then call('HDEL', key, 'd') else call('HSET', key, 'd', due) end
if aside == '1' then
  call('HSET', key, 'q', 1)
  list(':q:', ws, contact, true)
end
file(id, due ~= '' and due, q or aside == '1', 0)
return { 'done' }
