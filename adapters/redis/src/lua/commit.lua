-- ARGV: the commit as JSON, its record, then the bodies that it numbers. All that may refuse it is
-- looked at before anything is written.
local spec = cjson.decode(ARGV[1])
local ws, contact, now = spec.workspace, spec.contact, time()
local id = ws .. US .. contact
local key = conversation(id)
local revision, settled, token, lease_end, claims, is_aside =
  unpack(call('HMGET', key, 'v', 's', 't', 'u', 'n', 'q'))

if (revision or nil) ~= spec.expect then return { 'conflict' } end
local seen = spec.seen
if seen and (is_aside or settled ~= seen.settled) then return { 'conflict' } end
if seen and seen.catalogue and (call('GET', ROOT .. ':g:' .. ws) or '0') ~= seen.catalogue then
  return { 'conflict' }
end
local other = spec.absorbs
if other then
  local v, s, t, u, q = unpack(call('HMGET', conversation(ws .. US .. other.contact), 'v', 's', 't', 'u', 'q'))
  local is_free = not u or tonumber(u) <= now or t == other.token
  if v ~= other.expect or s ~= other.settled or q or not is_free then return { 'conflict' } end
end
local lease = spec.lease
if (lease.intent == 'hold' or lease.intent == 'free') and not is_held_by(lease.token, token, lease_end, now) then
  return { 'lease' }
end
local old_key
if spec.key then
  old_key = call('HGET', ROOT .. ':k:' .. ws, spec.key.name)
  if old_key and tonumber((split(old_key, 2))) > tonumber(spec.now) then return { 'key' } end
end
for place, alias in ipairs(spec.add_aliases) do
  local holder = call('HGET', ROOT .. ':a:' .. ws, alias)
  if holder and holder ~= contact and not (other and holder == other.contact) then
    return { 'alias', tostring(place - 1), holder }
  end
end

-- The conversation and its lease.
local had_claims = tonumber(claims or 0)
claims = had_claims
local leased = false
if lease.intent == 'take' then
  local is_free = not token or not lease_end or tonumber(lease_end) <= now or token == lease.token
  if is_free then
    token, lease_end = lease.token, text(now + tonumber(lease.period))
    leased = tonumber(lease_end) > now
  end
elseif lease.intent == 'hold' then
  claims, leased = 0, true
elseif lease.intent == 'free' then
  claims, token, lease_end = 0, false, false
end
if not revision then revision = call('HGET', ROOT, 'floor') or '0' end
-- The server's time, if that is later: no revision that was given before its last writes were lost.
revision, settled = text(math.max(tonumber(revision) + 1, now)), settled or '0'
call('HSET', key, 'v', revision, 's', settled, 'n', claims, 'x', spec.dead_letters, 'r', ARGV[2])
if spec.due then call('HSET', key, 'd', spec.due) else call('HDEL', key, 'd') end
if token then call('HSET', key, 't', token, 'u', lease_end) else call('HDEL', key, 't', 'u') end
if call('HDEL', key, 'q') == 1 then list(':q:', ws, contact, false) end
file(id, spec.due, false, claims, lease_end)
list(':x:', ws, contact, spec.dead_letters ~= '0')

-- Whatever leads to a contact that turned out to be this one.
if other then
  remove_conversation(ws, other.contact, other.expect, contact)
  local from, to = history(ws, other.contact), history(ws, contact)
  for _, field in ipairs(call('HKEYS', from)) do
    call('HSET', to, field, call('HGET', from, field))
    local kind, name = string.match(field, '^(.):(.*)')
    if kind == 's' then
      call('HSET', session_key(ws, name), 'c', contact)
    elseif kind == 'j' then
      call('HSET', ROOT .. ':j:' .. ws .. US .. name, 'c', contact)
    else
      local expires, _, record = split(call('HGET', ROOT .. ':k:' .. ws, name), 3)
      call('HSET', ROOT .. ':k:' .. ws, name, expires .. US .. contact .. US .. record)
    end
  end
  call('DEL', from)
end

for _, alias in ipairs(spec.drop_aliases) do
  if call('HGET', ROOT .. ':a:' .. ws, alias) == contact then
    call('HDEL', ROOT .. ':a:' .. ws, alias)
    call('HDEL', key, 'a:' .. alias)
  end
end
for _, alias in ipairs(spec.add_aliases) do
  call('HSET', ROOT .. ':a:' .. ws, alias, contact)
  call('HSET', key, 'a:' .. alias, '')
end
if spec.key then
  local name = spec.key.name
  if old_key then
    local _, holder = split(old_key, 3)
    call('HDEL', history(ws, holder), 'k:' .. name)
  end
  local stored = spec.key.expires .. US .. spec.key.contact .. US .. ARGV[spec.key.body]
  call('HSET', ROOT .. ':k:' .. ws, name, stored)
  call('ZADD', ROOT .. ':kx', spec.key.expires, ws .. US .. name)
  call('HSET', history(ws, spec.key.contact), 'k:' .. name, '')
end

for _, row in ipairs(spec.sessions) do
  local name = session_key(ws, row.id)
  local holder, needs = unpack(call('HMGET', name, 'c', 'w'))
  unneed(ws, row.id, needs)
  if holder and holder ~= contact then call('HDEL', history(ws, holder), 's:' .. row.id) end
  call('HSET', name, 'c', contact, 'f', row.flow, 'v', row.version, 'a', row.started)
  if row.ended then
    call('HDEL', name, 'w')
    call('HSET', name, 'e', row.ended, 'r', ARGV[row.body])
    call('ZADD', ROOT .. ':ex', row.ended, ws .. US .. row.id)
  else
    call('HSET', name, 'w', row.needs)
    need(ws, row.id, row.needs)
  end
  call('ZADD', ROOT .. ':sx:' .. ws, row.started, row.id)
  call('HSET', history(ws, contact), 's:' .. row.id, row.started)
end
for _, entry in ipairs(spec.journal) do
  local stored = entry.place .. US .. entry.flow .. US .. ARGV[entry.body]
  call('HSET', ROOT .. ':j:' .. ws .. US .. entry.session, entry.seq, stored, 'c', contact)
  call('ZADD', ROOT .. ':jx:' .. ws .. US .. entry.flow, 0, entry.place)
  call('ZADD', ROOT .. ':jp', entry.at, ws .. US .. entry.flow .. US .. entry.place)
  call('HSET', history(ws, contact), 'j:' .. entry.session, '')
end
for _, count in ipairs(spec.counts) do
  local of = ws .. US .. count.flow
  call('HINCRBY', ROOT .. ':m:' .. of .. US .. count.minute, count.what, count.times)
  call('ZADD', ROOT .. ':mx:' .. of, count.minute, count.minute)
  call('ZADD', ROOT .. ':mp', count.minute, of .. US .. count.minute)
end
return { 'applied', revision, leased and 1 or 0, settled }
