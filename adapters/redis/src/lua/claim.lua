-- ARGV: now, token, microseconds of the lease, limit, 1 for suspects.
-- Answers the claimed, when the next is due or nothing, and the server's time.
local due_now, token, period, limit = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local suspects = ARGV[5] == '1'
local now = time()
local set = ROOT .. (suspects and ':suspects' or ':due')
-- A suspect is filed by both clocks at once.
local upto = suspects and math.max(due_now, now) or due_now
local next_due
local function later(at) if not next_due or at < next_due then next_due = at end end

-- Due time, number of claims, and when its lease and the pause after it are over by the server's clock.
local function state(id)
  local due, claims, lease_end = unpack(call('HMGET', conversation(id), 'd', 'n', 'u'))
  lease_end, claims = tonumber(lease_end or 0), tonumber(claims)
  return tonumber(due), claims, claims > 0 and lease_end + pause(claims) or lease_end
end

-- What ends by the server's clock is told by the caller's.
local function later_of(due, free_at) later(math.max(due, free_at - now + due_now)) end

local ready, offset, CHUNK = {}, 0, 64
repeat
  local found = call('ZRANGEBYSCORE', set, '-inf', text(upto), 'LIMIT', offset, CHUNK)
  for _, id in ipairs(found) do
    local due, claims, free_at = state(id)
    if due > due_now or free_at > now then
      later_of(due, free_at)
    elseif #ready < limit then
      ready[#ready + 1] = { id, claims }
    else
      later(due)
      break
    end
  end
  offset = offset + CHUNK
until #found < CHUNK or #ready >= limit and next_due

local claimed = {}
for _, one in ipairs(ready) do
  local id, claims = one[1], one[2] + 1
  local key = conversation(id)
  local lease_end = text(now + period)
  call('HSET', key, 'n', claims, 't', token, 'u', lease_end)
  local v, s, r, d = unpack(call('HMGET', key, 'v', 's', 'r', 'd'))
  file(id, d, false, claims, lease_end)
  local ws, contact = split(id, 2)
  claimed[#claimed + 1] = { ws, contact, v, s, r, claims }
end
-- Suspects that were not looked at above. Their scores are the later one of two clocks' times, so the
-- first by score need not be the first: those that may be are looked at, they are few.
local function later_suspects(after)
  local MOST, ahead = 64, math.max(0, now - due_now)
  local found = call('ZRANGEBYSCORE', ROOT .. ':suspects', after, '+inf', 'WITHSCORES', 'LIMIT', 0, MOST)
  for place = 1, #found, 2 do
    local score = tonumber(found[place + 1])
    if next_due and score - ahead >= next_due then return end
    if place == MOST * 2 - 1 then later(score - ahead) end
    local due, _, free_at = state(found[place])
    later_of(due, free_at)
  end
end
if suspects then
  later_suspects('(' .. text(upto))
else
  local found = call('ZRANGEBYSCORE', ROOT .. ':due', '(' .. text(upto), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if found[2] then later(tonumber(found[2])) end
  later_suspects('-inf')
end
return { claimed, next_due and text(next_due) or '', text(now) }
