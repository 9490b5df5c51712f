import type { Check } from "../evidence.ts"
import type { Subscriber } from "../subscriber.ts"

/**
 * Replayed are the entries that had been published before the subscription was made: they come first, and none of them
 * was published after that.
 */
export const checkReplayed: Check = ({ ledger, truth }) => {
  const complaints: string[] = []
  for (const subscriber of ledger.subscribers) {
    for (const told of replayedOf(subscriber)) {
      const entry = truth.life(subscriber.channel, told.epoch).byOffset.get(told.offset)
      const who = `replayed: ${subscriber.client} on ${subscriber.channel}`
      if (told.afterLive) complaints.push(`${who} was told of #${told.offset} as replayed after a live one`)
      else if (entry !== undefined && entry.appendedAtMs > told.sinceMs)
        complaints.push(`${who} was told of #${told.offset} as replayed, which came after it subscribed`)
    }
  }
  return complaints
}

function* replayedOf({ told }: Subscriber) {
  // until the first entry or status after a (re)subscription there is no telling when exactly the server made it
  let sinceMs = Number.NEGATIVE_INFINITY
  let live = false
  for (const each of told) {
    if (each.type === "status") {
      sinceMs = each.status === "live" ? Math.max(sinceMs, each.atMs) : Number.NEGATIVE_INFINITY
      if (each.status !== "live") live = false
      else if (sinceMs < each.atMs) sinceMs = each.atMs
    }
    if (each.type !== "event" || each.position === undefined) continue
    // what was on its way when the server was asked again belongs to the subscription before
    if (!each.replayed) live ||= sinceMs !== Number.NEGATIVE_INFINITY
    else if (sinceMs !== Number.NEGATIVE_INFINITY) {
      yield { offset: each.offset, epoch: each.position.epoch, sinceMs, afterLive: live }
    }
  }
}
