-- ARGV: workspace; start and id of the session that this page comes after, or +inf; the earliest
-- start; flow, 1 live or 0 ended, each or nothing; limit; 1 for the conversations of ended ones too.
-- Answers the sessions and, where there may be more, start and id of the last one looked at.
local ws, at, last, from, flow, live, limit, with_contact = unpack(ARGV)
limit = tonumber(limit)
local set, found, offset, looked, CHUNK, MOST = ROOT .. ':sx:' .. ws, {}, 0, 0, 100, 2000
repeat
  local page = call('ZREVRANGEBYSCORE', set, at, from, 'WITHSCORES', 'LIMIT', offset, CHUNK)
  for place = 1, #page, 2 do
    local session, started = page[place], page[place + 1]
    -- What begins at the same instant as the last one comes by id, the greatest first.
    if tonumber(started) ~= tonumber(at) or session < last then
      local contact, of, needs, record = unpack(call('HMGET', session_key(ws, session), 'c', 'f', 'w', 'r'))
      if (flow == '' or of == flow) and (live == '' or (live == '1') == (not record)) then
        local owner = (not record or with_contact == '1') and call('HGET', conversation(ws .. US .. contact), 'r')
        found[#found + 1] = { session, contact, record, owner }
      end
      looked = looked + 1
      if #found >= limit or looked >= MOST then return { found, started, session } end
    end
  end
  offset = offset + CHUNK
until #page < CHUNK * 2
return { found, '', '' }
