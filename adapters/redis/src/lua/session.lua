-- ARGV: workspace, then sessions. Answers of each that is there its id, contact, record if it has
-- ended, and its conversation's record.
local ws, found = ARGV[1], {}
for place = 2, #ARGV do
  local contact, record = unpack(call('HMGET', session_key(ws, ARGV[place]), 'c', 'r'))
  if contact then
    found[#found + 1] = { ARGV[place], contact, record, call('HGET', conversation(ws .. US .. contact), 'r') }
  end
end
return found
