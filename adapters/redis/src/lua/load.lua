-- ARGV: workspace, kind (c or a), contact or alias, hash of a key or nothing, token.
-- Answers the conversation (contact, revision, watermark, leased, set aside, record), the key, and the
-- revision of the flows.
local ws, kind, subject, key, token = unpack(ARGV)
local contact = subject
if kind == 'a' then contact = call('HGET', ROOT .. ':a:' .. ws, subject) end
local found = false
if contact then
  local v, s, t, u, q, r =
    unpack(call('HMGET', conversation(ws .. US .. contact), 'v', 's', 't', 'u', 'q', 'r'))
  if v then found = { contact, v, s, is_held_by(token, t, u, time()) and 1 or 0, q and 1 or 0, r } end
end
local known = key ~= '' and call('HGET', ROOT .. ':k:' .. ws, key)
return { found, known, call('GET', ROOT .. ':g:' .. ws) or '0' }
