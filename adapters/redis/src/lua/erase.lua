-- ARGV: workspace, contact, revision, 1 to keep what is past, now.
-- Answers nothing if it is not at that revision; else the numbers of sessions, entries, keys.
local ws, contact, expect, keeps, now = unpack(ARGV)
if call('HGET', conversation(ws .. US .. contact), 'v') ~= expect then return false end
remove_conversation(ws, contact, expect, nil)
if keeps == '1' then return { 0, 0, 0 } end
local sessions, entries, keys = 0, 0, 0
local past = history(ws, contact)
for _, field in ipairs(call('HKEYS', past)) do
  local kind, name = string.match(field, '^(.):(.*)')
  if kind == 's' then
    remove_session(ws, name)
    sessions = sessions + 1
  elseif kind == 'j' then
    local journal = call('HGETALL', ROOT .. ':j:' .. ws .. US .. name)
    for field = 1, #journal, 2 do
      if journal[field] ~= 'c' then
        local place, flow = split(journal[field + 1], 3)
        remove_entry(ws, flow, place)
        entries = entries + 1
      end
    end
  else
    local expires = split(call('HGET', ROOT .. ':k:' .. ws, name), 2)
    if tonumber(expires) > tonumber(now) then
      -- Kept under no name but a hash in any case; nothing else of it stays.
      call('HSET', ROOT .. ':k:' .. ws, name, expires .. US .. US)
      keys = keys + 1
    else
      call('HDEL', ROOT .. ':k:' .. ws, name)
      call('ZREM', ROOT .. ':kx', ws .. US .. name)
    end
  end
end
call('DEL', past)
return { sessions, entries, keys }
