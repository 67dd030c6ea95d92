-- ARGV: workspace, the revision since which, or nothing for all. Answers the revision, 1 if these
-- are the flows since then and no more, and the flows.
local ws, since = unpack(ARGV)
local revision = call('GET', ROOT .. ':g:' .. ws) or '0'
local flows = {}
if since == '' or tonumber(since) > tonumber(revision) then
  local all = call('HVALS', ROOT .. ':f:' .. ws)
  for place, stored in ipairs(all) do
    local _, entry = split(stored, 2)
    flows[place] = entry
  end
  return { revision, 0, flows }
end
for place, flow in ipairs(call('ZRANGEBYSCORE', ROOT .. ':y:' .. ws, '(' .. since, '+inf')) do
  local _, entry = split(call('HGET', ROOT .. ':f:' .. ws, flow), 2)
  flows[place] = entry
end
return { revision, 1, flows }
