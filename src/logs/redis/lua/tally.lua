-- Counts in a hash, looked up once and kept at the end. Answers what makes one for a key.

local channel, head = require('channel'), require('head')

return function(key)
  local counts, changed, tally = {}, {}, {}
  function tally.of(field)
    counts[field] = counts[field] or tonumber(redis.call('HGET', key, field) or 0)
    return counts[field]
  end
  function tally.add(field, count)
    counts[field], changed[field] = tally.of(field) + count, true
  end
  function tally.keep()
    for field in pairs(changed) do
      if counts[field] <= 0 then redis.call('HDEL', key, field)
      elseif redis.call('HSET', key, field, channel.text(counts[field])) == 1 then head.isFresh = true end
    end
  end
  return tally
end
