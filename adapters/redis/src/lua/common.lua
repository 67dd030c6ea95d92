-- The names of keys, and the parts that several scripts share. KEYS[1] is the store's root, whose
-- braces put all of its keys on one slot. Texts of hosts have no control characters, so US parts them.
--
-- ROOT:c:WS US CONTACT    a conversation: v revision, s watermark, d due, t and u token and end of
--                         its lease, n claims, x dead letters, q set aside, r record, a:ALIAS
-- ROOT:a:WS               alias -> contact
-- ROOT:k:WS               hash of a trigger's key -> EXPIRES US CONTACT US RECORD
-- ROOT:s:WS US SESSION    a session: c contact, f flow, v version, a started, w the versions that it
--                         needs while it is live; e ended, r record once it has ended
-- ROOT:j:WS US SESSION    its journal: number -> PLACE US FLOW US ENTRY; c contact
-- ROOT:h:WS US CONTACT    what else is kept of a contact: k:KEY, s:SESSION -> started, j:SESSION
-- ROOT:m:WS US FLOW US MINUTE   counters: VERSION:WHAT -> number of times
-- ROOT:f:WS, ROOT:t:WS, ROOT:g:WS, ROOT:y:WS   flows, their texts, their revision, flows by revision
--
-- Sorted sets: ROOT:due and ROOT:suspects (conversations by when they can be claimed), ROOT:sx:WS
-- (sessions by start), ROOT:n:WS US FLOW [US VERSION] (a set: live sessions that need it), ROOT:jx:WS
-- US FLOW (journal by place), ROOT:mx:WS US FLOW (minutes), ROOT:q:WS, ROOT:x:WS (contacts set aside,
-- with dead letters); for `purge` by time: ROOT:kx, ROOT:ex, ROOT:jp, ROOT:mp.
--
-- Instants are microseconds of the epoch as text; doubles hold those of the next 200 years exactly.
local ROOT, US, call = KEYS[1], '\31', redis.call

local function text(number) return string.format('%.0f', number) end

-- The server's time: it judges leases.
local function time()
  local parts = call('TIME')
  return parts[1] * 1000000 + parts[2]
end

local function conversation(id) return ROOT .. ':c:' .. id end
local function history(ws, contact) return ROOT .. ':h:' .. ws .. US .. contact end
local function session_key(ws, session) return ROOT .. ':s:' .. ws .. US .. session end

-- The parts of a text up to the given number of them; the last one has the rest.
local function split(whole, count)
  local parts, from = {}, 1
  for part = 1, count - 1 do
    local at = string.find(whole, US, from, true)
    parts[part] = string.sub(whole, from, at - 1)
    from = at + 1
  end
  parts[count] = string.sub(whole, from)
  return unpack(parts)
end

-- Rule 12: how long a conversation is left alone after so many claims.
local function pause(claims) return 1000000 * 2 ^ math.min(claims - 1, 6) end

-- Files a conversation where a claim finds it in time, given its fields after the write.
local function file(id, due, is_aside, claims, lease_end)
  if not due or is_aside then
    call('ZREM', ROOT .. ':due', id)
    call('ZREM', ROOT .. ':suspects', id)
  elseif claims > 0 then
    call('ZREM', ROOT .. ':due', id)
    local ready = math.max(tonumber(due), tonumber(lease_end or 0) + pause(claims))
    call('ZADD', ROOT .. ':suspects', text(ready), id)
  else
    call('ZADD', ROOT .. ':due', due, id)
    call('ZREM', ROOT .. ':suspects', id)
  end
end

-- Files it for operators.
local function list(name, ws, contact, is_in)
  call(is_in and 'ZADD' or 'ZREM', ROOT .. name .. ws, unpack(is_in and { 0, contact } or { contact }))
end

local function is_held_by(token, lease_token, lease_end, now)
  return lease_token == token and lease_end and tonumber(lease_end) > now
end

-- Takes a live session out of the sets of what it needs.
local function unneed(ws, session, needs)
  for need in string.gmatch(needs or '', '[^\30]+') do
    local flow = split(need, 2)
    call('SREM', ROOT .. ':n:' .. ws .. US .. need, session)
    call('SREM', ROOT .. ':n:' .. ws .. US .. flow, session)
  end
end

local function need(ws, session, needs)
  for one in string.gmatch(needs, '[^\30]+') do
    local flow = split(one, 2)
    call('SADD', ROOT .. ':n:' .. ws .. US .. one, session)
    call('SADD', ROOT .. ':n:' .. ws .. US .. flow, session)
  end
end

-- Removes a session, live or ended.
local function remove_session(ws, session)
  local key = session_key(ws, session)
  local contact, needs = unpack(call('HMGET', key, 'c', 'w'))
  unneed(ws, session, needs)
  if contact then call('HDEL', history(ws, contact), 's:' .. session) end
  call('ZREM', ROOT .. ':sx:' .. ws, session)
  call('ZREM', ROOT .. ':ex', ws .. US .. session)
  call('DEL', key)
end

-- Removes one entry of a journal.
local function remove_entry(ws, flow, place)
  local session, seq = string.match(place, '^%d+:([^:]+):0*(%d+)$')
  local key = ROOT .. ':j:' .. ws .. US .. session
  call('ZREM', ROOT .. ':jx:' .. ws .. US .. flow, place)
  call('ZREM', ROOT .. ':jp', ws .. US .. flow .. US .. place)
  call('HDEL', key, seq)
  if call('HLEN', key) == 1 then
    call('HDEL', history(ws, call('HGET', key, 'c')), 'j:' .. session)
    call('DEL', key)
  end
end

-- No revision comes twice, also after its conversation is gone (rule 5).
local function raise_floor(revision)
  local floor = tonumber(call('HGET', ROOT, 'floor') or '0')
  if tonumber(revision) > floor then call('HSET', ROOT, 'floor', revision) end
end

-- Removes a conversation with its lease, watermark and live sessions; its aliases lead to `heir`,
-- or nowhere.
local function remove_conversation(ws, contact, revision, heir)
  local id = ws .. US .. contact
  local key = conversation(id)
  for _, field in ipairs(call('HKEYS', key)) do
    if string.sub(field, 1, 2) == 'a:' then
      local alias = string.sub(field, 3)
      if heir then
        call('HSET', ROOT .. ':a:' .. ws, alias, heir)
        call('HSET', conversation(ws .. US .. heir), field, '')
      else
        call('HDEL', ROOT .. ':a:' .. ws, alias)
      end
    end
  end
  for _, field in ipairs(call('HKEYS', history(ws, contact))) do
    local session = string.match(field, '^s:(.*)')
    if session and call('HEXISTS', session_key(ws, session), 'e') == 0 then remove_session(ws, session) end
  end
  file(id, nil)
  list(':q:', ws, contact, false)
  list(':x:', ws, contact, false)
  call('DEL', key)
  raise_floor(revision)
end
