-- ARGV: workspace, then of each flow: its name, the revision that it must have or nothing, its new
-- revision, entry, draft or nothing, 1 if a draft is kept, version or nothing, its text, 1 if a version
-- is terminated. Answers saved, conflict, or the place of the flow whose version has another text.
local ws, WIDTH = ARGV[1], 9
local texts = ROOT .. ':t:' .. ws
for at = 2, #ARGV, WIDTH do
  local flow, expect, version, body = ARGV[at], ARGV[at + 1], ARGV[at + 6], ARGV[at + 7]
  local stored = call('HGET', ROOT .. ':f:' .. ws, flow)
  if (stored and split(stored, 2) or '') ~= expect then return 'conflict' end
  local kept = version ~= '' and call('HGET', texts, flow .. US .. version)
  if kept and kept ~= body then return tostring((at - 2) / WIDTH) end
end
if #ARGV < 2 then return 'saved' end
local saved_at = call('INCR', ROOT .. ':g:' .. ws)
for at = 2, #ARGV, WIDTH do
  local flow, revision, entry, draft = ARGV[at], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  call('HSET', ROOT .. ':f:' .. ws, flow, revision .. US .. entry)
  call('ZADD', ROOT .. ':y:' .. ws, saved_at, flow)
  if draft ~= '' then call('HSET', texts, flow .. US, draft) end
  if ARGV[at + 5] ~= '1' then call('HDEL', texts, flow .. US) end
  if ARGV[at + 6] ~= '' then call('HSET', texts, flow .. US .. ARGV[at + 6], ARGV[at + 7]) end
  call(ARGV[at + 8] == '1' and 'SADD' or 'SREM', ROOT .. ':terminated', ws .. US .. flow)
end
return 'saved'
