-- Drops what has outlived its time. A channel in which nothing is left is forgotten, or keeps but its head, if it is pinned.

local channel, batch, head = require('channel'), require('batch'), require('head')
local expiry = require('expiry')

return function()
  -- see epoch.lua
  redis.call('UNLINK', channel.absent)
  for _, retention in ipairs(batch.retentions) do
    local collection = head.named[retention.name]
    if collection then
      require(collection.kind == channel.FACTS and 'facts' or 'retention').trim(collection, retention, batch.now)
      if collection.untilMs == math.huge or collection.count == 0 then head.settleEnd(collection, retention, batch.now) end
    end
  end
  require('retention').keepAccounts()
  local isTidy = require('idempotency').tidy()
  if batch.pinMs > 0 then head.pinnedUntil = batch.now + batch.pinMs end
  local isForgotten = isTidy and head.isEmpty()
  if isForgotten then head.base, head.list, head.named = head.top, {}, {} end
  if isForgotten and batch.pinMs == 0 then expiry.forget() else head.keep() end
  expiry.keepNotes()
end
