/** In characters: of about a hundred generations. A number that is cut off is too small, which is on the safe side. */
const BASES_LENGTH_MAX = 1_000

/**
 * Appends a batch of drafts to one channel, or none, trims, and tells those who watch: one atomic step.
 *
 * KEYS: partition, head, events, values, order, tombstones, recent, older, and one that is never there.
 * ARGV: format, an epoch in case one begins, the epoch that the node knows, the live channel, and the rest packed (see
 * `packBatch`).
 *
 * Answers {0, epoch, generation, the partition's top, the channel's top, its floor, then code and offset per draft},
 * or {1, the format that is there}.
 *
 * **A channel** is: `events`, a list; `values`, a hash from identity to the latest record; `order` and `tombstones`, sorted sets
 * of those identities by offset, of the keys that have a value and of those that are deleted; `head`, ten packed numbers.
 * A list takes as little as a stream does for many events, and 4 KB less for few: a stream reserves its first block. It is
 * only ever trimmed at its start, and offsets in it are found by halving.
 *
 * **Offsets** are drawn per partition, not per channel, so a channel that somebody deleted by hand goes on above its old ones.
 *
 * **Epochs.** An offset must not be given again after a tail was lost, so it has to be noticed that one may be:
 * - The partition's key is gone (an empty Redis): it is made anew, with a new epoch.
 * - `master_replid` is another than at the last append: another process serves, or this one in another role. Redis
 *   replicates asynchronously, so a promoted replica (its `master_replid2` is set) may lack a tail: a new epoch. One that
 *   has started without an append-only file has the state of its last snapshot: a new epoch. One whose append-only file is
 *   synced now and then (`appendfsync everysec`) may lack the last second or two, even if only the process was killed,
 *   for Redis answers before it has written when a sync is slow: a new epoch. Only a file that is synced for each write
 *   (`appendfsync always`) has all that was acknowledged, if it was so when the last entry was appended, which is noted with
 *   the top: the epoch goes on, in a new generation that notes the top that it began with, its base. A server that has had
 *   a replica of late is none of these: what starts next may be that replica, which was promoted meanwhile, and nothing says so.
 * - A node knows better: it has seen an offset above the top, or above the base of a generation that came since, as when a
 *   copy of the file was put back; or it has been away for more generations than bases are kept of. A new epoch.
 * - Somebody has deleted the partition's `epoch`, to say so. A new epoch.
 * The check costs 3 microseconds. It is made in the script because nothing else is sure to speak of the server that the
 * script runs on: a client library may redirect or repeat a command on its own.
 *
 * **Repeats.** A node has one batch of a channel under way at a time and repeats it until it is answered. The answer is kept
 * beside the idempotency keys, under the node's name, so a repeated batch gets the first one's answer.
 *
 * **Idempotency keys** stand in two hashes. `older` is dropped when the last of its keys has expired; `recent` takes its place
 * then. Both expire by themselves when nobody appends any more. Beside them stand the nodes whose answers they have.
 *
 * **Memory.** A Redis that is full refuses the first command that adds something, when nothing has been changed yet; what comes
 * after one that may be carried out is not refused any more. Without drafts, what is added is little, and may be what has to be
 * known before anything can be read or trimmed.
 */
export const WRITE_SCRIPT = `
local packed = ARGV[5]
local knownGeneration, knownTop, number, now, keepEvents, keepMs, keepBytes, keysMax, tombstonesMax, dedupeMax, isSynced, node, FIRST =
  struct.unpack('>dddddddddddc8', packed)
local hasDrafts = FIRST <= #packed

-- It is the last command, so without this it would be refused when all the others have been carried out.
if hasDrafts and not redis.acl_check_cmd('SPUBLISH', ARGV[4], '') then
  return redis.error_reply('NOPERM This user may not publish to the channel ' .. ARGV[4])
end

local replication = redis.call('INFO', 'replication')
local server = string.match(replication, 'master_replid:(%x+)')
local synced = string.find(replication, 'repl_backlog_active:1', 1, true) and 0 or isSynced
local stored = redis.call('HMGET', KEYS[1], 'format', 'epoch', 'top', 'generation', 'bases', 'server', 'synced')
local epoch, top, generation, bases = ARGV[2], 0, 1, '0'

-- Whether what a node has seen was still there when each of the generations began that came since. The latest stands first.
local function hasOutlived(count, seen)
  if count < 1 then return false end
  for base in string.gmatch(bases, '%d+') do
    if tonumber(base) < seen then return false end
    count = count - 1
    if count == 0 then return true end
  end
  return false
end

local isChanged = true
if stored[1] then
  if stored[1] ~= ARGV[1] then return {1, stored[1]} end
  epoch, top, generation, bases = stored[2] or ARGV[2], tonumber(stored[3]), tonumber(stored[4]), stored[5]
  isChanged = not stored[2]
  if stored[6] ~= server then
    local before = string.match(replication, 'master_replid2:(%x+)')
    local wasPromoted = before and string.find(before, '[^0]')
    local hasFile = string.find(redis.call('INFO', 'persistence'), 'aof_enabled:1', 1, true)
    if wasPromoted or not hasFile or isSynced == 0 or stored[7] ~= '1' then epoch = ARGV[2] end
    generation, isChanged = generation + 1, true
    bases = string.sub(string.format('%.0f', top) .. ',' .. bases, 1, ${BASES_LENGTH_MAX})
  end
  if ARGV[3] == epoch then
    local isContradicted = knownGeneration ~= generation and not hasOutlived(generation - knownGeneration, knownTop)
    if knownTop > top or isContradicted then epoch, isChanged = ARGV[2], true end
  end
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  return {1, ''}
end

local headTop, floor, events, bytes, tombstones = 0, 0, 0, 0, 0
local recentFrom, recentUntil, olderUntil, keptUntil, recentKeys = 0, 0, 0, 0, 0
local before = redis.call('GET', KEYS[2])
if before then
  headTop, floor, events, bytes, tombstones, recentFrom, recentUntil, olderUntil, keptUntil, recentKeys =
    struct.unpack('>dddddddddd', before)
elseif hasDrafts and redis.call('EXISTS', KEYS[3], KEYS[4], KEYS[5], KEYS[6]) > 0 then
  redis.call('UNLINK', KEYS[3], KEYS[4], KEYS[5], KEYS[6])
  floor = top
end

local function answer(results)
  local reply = {0, epoch, generation, top, headTop, floor}
  for _, result in ipairs(results) do reply[#reply + 1] = result end
  return reply
end

local function saved()
  local head = struct.pack('>dddddddddd', headTop, floor, events, bytes, tombstones,
    recentFrom, recentUntil, olderUntil, keptUntil, recentKeys)
  if head ~= before and (before or headTop > 0) then redis.call('SET', KEYS[2], head) end
end

if isChanged then
  if not hasDrafts then redis.call('HDEL', KEYS[1], 'server') end
  redis.call('HSET', KEYS[1], 'format', ARGV[1], 'epoch', epoch, 'top', string.format('%.0f', top),
    'generation', generation, 'bases', bases, 'server', server, 'synced', synced)
end

local recentMark
if hasDrafts then
  recentMark = redis.call('HGET', KEYS[7], node)
  local mark = recentMark or (olderUntil > now and redis.call('HGET', KEYS[8], node))
  if mark and struct.unpack('>d', mark) >= number then
    local results = {}
    for at = 9, #mark, 9 do
      results[#results + 1] = string.byte(mark, at)
      results[#results + 1] = struct.unpack('>d', mark, at + 1)
    end
    return answer(results)
  end
end

local results, told, marks, fresh = {}, {}, {}, {}
local after, offset, appendedAt = headTop, math.max(top, headTop), -math.huge

local function known(key, at)
  local found = fresh[key] or redis.call('HGET', KEYS[7], key)
  if found and select(2, struct.unpack('>dd', found, 9)) > at then return found end
  if olderUntil <= at then return nil end
  found = redis.call('HGET', KEYS[8], key)
  if found and select(2, struct.unpack('>dd', found, 9)) > at then return found end
  return nil
end

local function latest(identity)
  local score = redis.call('ZSCORE', KEYS[5], identity)
  if not score and tombstones > 0 then score = redis.call('ZSCORE', KEYS[6], identity) end
  return tonumber(score or 0)
end

local function put(record, kind, identity, body)
  offset = offset + 1
  local element = struct.pack('>dI4', offset, #record) .. record
  if kind == 0 then
    redis.call('RPUSH', KEYS[3], element)
    events, bytes = events + 1, bytes + #record - body + 1
  else
    redis.call('HSET', KEYS[4], identity, string.sub(record, 1, 9) .. string.sub(record, body))
    if kind == 1 or kind == 3 then
      redis.call('ZADD', KEYS[5], offset, identity)
      if tombstones > 0 then tombstones = tombstones - redis.call('ZREM', KEYS[6], identity) end
    else
      tombstones = tombstones + redis.call('ZADD', KEYS[6], offset, identity)
      redis.call('ZREM', KEYS[5], identity)
    end
  end
  told[#told + 1] = element
end

local function append(record, key, fingerprint, window, replaces)
  local at, identityBytes = struct.unpack('>dI4', record, 2)
  if window >= 0 then
    local found = known(key, at)
    if found then
      if string.sub(found, 1, 8) ~= fingerprint then return 2, 0 end
      return 1, (struct.unpack('>d', found, 9))
    end
  end
  local kind, body = string.byte(record), 14 + identityBytes
  local identity = (kind > 2 and 'p' or 's') .. string.sub(record, 14, body - 1)
  if replaces >= 0 then
    local current = latest(identity)
    if current ~= replaces then return 1, current end
  end
  if (kind == 1 or kind == 3) and redis.call('ZCARD', KEYS[5]) >= keysMax
    and not redis.call('ZSCORE', KEYS[5], identity) then return 3, 0 end
  put(record, kind, identity, body)
  appendedAt = math.max(appendedAt, at)
  if window >= 0 then
    local expires = at + window
    fresh[key] = fingerprint .. struct.pack('>dd', offset, expires)
    marks[#marks + 1] = key
    marks[#marks + 1] = fresh[key]
    recentUntil, recentKeys = math.max(recentUntil, expires), recentKeys + 1
  end
  return 0, offset
end

local position = FIRST
while position <= #packed do
  local key, fingerprint, window, replaces, bytesOfRecord, start = struct.unpack('>c16c8ddI4', packed, position)
  position = start + bytesOfRecord
  local code, at = append(string.sub(packed, start, position - 1), key, fingerprint, window, replaces)
  results[#results + 1] = code
  results[#results + 1] = at
end

if #told > 0 then
  headTop = offset
  if recentFrom == 0 then recentFrom = now end
  recentUntil = math.max(recentUntil, now + 60000)
  local mark = { struct.pack('>d', number) }
  for i = 1, #results, 2 do mark[#mark + 1] = struct.pack('>Bd', results[i], results[i + 1]) end
  marks[#marks + 1] = node
  marks[#marks + 1] = table.concat(mark)
  if not recentMark then
    marks[#marks + 1] = 'nodes'
    marks[#marks + 1] = (redis.call('HGET', KEYS[7], 'nodes') or '') .. node
  end
  redis.call('HSET', KEYS[7], unpack(marks))
  if recentUntil + 60000 > keptUntil then
    keptUntil = recentUntil + 120000
    -- The clock of whoever appends may be ahead of those who append next, and count on what stands in the head.
    local time = string.match(redis.call('INFO', 'server'), 'server_time_usec:(%d+)') / 1000
    redis.call('PEXPIRE', KEYS[7], string.format('%.0f', keptUntil - math.min(now, time)))
  end
  if top ~= offset then
    top = offset
    redis.call('HSET', KEYS[1], 'top', string.format('%.0f', top), 'synced', synced)
  end
end

-- What was not appended is no reason to trim.
local isTrimming = #told > 0 or not hasDrafts
local oldestAt = (hasDrafts and appendedAt or now) - keepMs
while isTrimming and events > 0 do
  local excess = events - keepEvents
  if excess <= 0 and bytes <= keepBytes then
    if keepMs == math.huge then break end
    if struct.unpack('>d', redis.call('LINDEX', KEYS[3], 0), 14) >= oldestAt then break end
  end
  for _, element in ipairs(redis.call('LPOP', KEYS[3], math.max(1, math.min(excess, 64)))) do
    local lost, _, _, _, identityBytes = struct.unpack('>dI4BdI4', element)
    events, bytes, floor = events - 1, bytes - (#element - 25 - identityBytes), math.max(floor, lost)
  end
end

if isTrimming and tombstones > 0 then
  local most = math.max(tombstonesMax, redis.call('ZCARD', KEYS[5]))
  while tombstones > 0 and (tombstones > most or keepMs < math.huge) do
    local oldest = redis.call('ZRANGE', KEYS[6], 0, 0, 'WITHSCORES')
    local record = redis.call('HGET', KEYS[4], oldest[1])
    if tombstones <= most and struct.unpack('>d', record, 2) >= oldestAt then break end
    redis.call('ZREM', KEYS[6], oldest[1])
    redis.call('HDEL', KEYS[4], oldest[1])
    tombstones, floor = tombstones - 1, math.max(floor, tonumber(oldest[2]))
  end
end

-- Of too many keys, old ones are forgotten before their time. Answers may not be: without, a batch would be repeated in earnest.
local function keepAnswers()
  local names, kept = redis.call('HGET', KEYS[8], 'nodes') or '', redis.call('HGET', KEYS[7], 'nodes') or ''
  for at = 1, #names, 8 do
    local name = string.sub(names, at, at + 7)
    if redis.call('HSETNX', KEYS[7], name, redis.call('HGET', KEYS[8], name)) == 1 then kept = kept .. name end
  end
  redis.call('HSET', KEYS[7], 'nodes', kept)
end

if recentFrom > 0 and (now >= olderUntil or recentKeys > dedupeMax) and redis.call('EXISTS', KEYS[7]) == 1 then
  if recentKeys > dedupeMax or now - recentFrom >= recentUntil - now then
    if olderUntil > now then keepAnswers() end
    redis.call('UNLINK', KEYS[8])
    redis.call('RENAME', KEYS[7], KEYS[8])
    recentFrom, olderUntil, recentUntil, keptUntil, recentKeys = 0, recentUntil, 0, 0, 0
  end
end

saved()
if #told > 0 then
  redis.call('SPUBLISH', ARGV[4], struct.pack('>ddB', generation, after, #epoch) .. epoch .. table.concat(told))
end
return answer(results)
`
