-- ARGV: now, sessions that ended before, entries before, minutes before, limit.
-- Answers how many keys, sessions, entries and counters were removed, and 1 if more are left.
local now, ended, journal, minute, limit = unpack(ARGV)
limit = tonumber(limit)
local function old(name, upto) return call('ZRANGEBYSCORE', ROOT .. name, '-inf', upto, 'LIMIT', 0, limit) end

local keys = old(':kx', now)
for _, id in ipairs(keys) do
  local ws, name = split(id, 2)
  local _, contact = split(call('HGET', ROOT .. ':k:' .. ws, name), 3)
  call('HDEL', history(ws, contact), 'k:' .. name)
  call('HDEL', ROOT .. ':k:' .. ws, name)
  call('ZREM', ROOT .. ':kx', id)
end
local sessions = old(':ex', '(' .. ended)
for _, id in ipairs(sessions) do
  local ws, session = split(id, 2)
  local contact, alias = call('HGET', session_key(ws, session), 'c'), 's:' .. session
  if call('HGET', ROOT .. ':a:' .. ws, alias) == contact then
    call('HDEL', ROOT .. ':a:' .. ws, alias)
    call('HDEL', conversation(ws .. US .. contact), 'a:' .. alias)
  end
  remove_session(ws, session)
end
local entries = old(':jp', '(' .. journal)
for _, id in ipairs(entries) do
  remove_entry(split(id, 3))
end
local counts = 0
for _, id in ipairs(old(':mp', '(' .. minute)) do
  local ws, flow, of = split(id, 3)
  local key = ROOT .. ':m:' .. id
  for _, what in ipairs(call('HKEYS', key)) do
    if counts >= limit then break end
    call('HDEL', key, what)
    counts = counts + 1
  end
  if call('EXISTS', key) == 0 then
    call('ZREM', ROOT .. ':mx:' .. ws .. US .. flow, of)
    call('ZREM', ROOT .. ':mp', id)
  end
end
local more = #old(':kx', now) + #old(':ex', '(' .. ended) + #old(':jp', '(' .. journal) + #old(':mp', '(' .. minute)
return { #keys, #sessions, #entries, counts, more > 0 and 1 or 0 }
