import type { Head, Log } from "../../log/log.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { ChannelSubscription } from "./channel.ts"
import type { Final } from "./subscription.ts"

/** Where the logs of channels stood at one moment: each is asked once. Undefined where the log did not say. */
export type Heads = (channel: string) => Promise<Head | undefined>

export interface FinalDeliveryPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
}

/**
 * The last entries of subscriptions that end: those up to the heads of their channels as these stood when the ending began, and none
 * behind. It takes `closeTimeoutMs` at most.
 */
export class FinalDelivery {
  readonly #ports: FinalDeliveryPorts

  constructor(ports: FinalDeliveryPorts) {
    this.#ports = ports
  }

  /** The heads as of now, for subscriptions that end together. */
  heads(): Heads {
    const { log } = this.#ports
    const asked = new Map<string, Promise<Head | undefined>>()
    return (channel) => {
      const known = asked.get(channel)
      if (known !== undefined) return known
      // without the log there is nothing to deliver either
      const head = log.head(channel).catch(() => undefined)
      asked.set(channel, head)
      return head
    }
  }

  /** Calls `handleEnd` once the subscriptions have all, or the time is over. In this turn if there are none. */
  deliver(subscriptions: readonly ChannelSubscription[], heads: Heads, handleEnd: () => void): void {
    if (subscriptions.length === 0) {
      handleEnd()
      return
    }
    const { clock, limits } = this.#ports
    let left = subscriptions.length
    let isOver = false
    const finish = () => {
      if (isOver) return
      isOver = true
      cancel()
      handleEnd()
    }
    const cancel = clock.after(limits.closeTimeoutMs, finish)
    for (const subscription of subscriptions) {
      finishAt(subscription, heads, () => {
        if (--left === 0) finish()
      })
    }
  }
}

function finishAt(subscription: ChannelSubscription, heads: Heads, handleReached: () => void): void {
  const { channel, final: earlier } = subscription
  let isReached = false
  const final: Final = {
    // what ends already has its end
    head: earlier?.head,
    handleReached: () => {
      if (isReached) return
      isReached = true
      earlier?.handleReached()
      handleReached()
    },
  }
  channel.finish(subscription, final)
  void heads(channel.name).then((head) => {
    if (head === undefined) return final.handleReached()
    final.head ??= { epoch: head.epoch, offset: head.top }
    if (subscription.state !== "ended") channel.joinOrCatchUp(subscription)
  })
}
