import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { SubscriptionRequest, Unsubscribe } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import type { Channel } from "../channel/channel.ts"
import type { Channels } from "../channel/channels.ts"
import { EVENTS } from "../channel/facets.ts"
import type { FinalDelivery, Heads } from "../channel/final-delivery.ts"
import { SnapshotProgress } from "../channel/snapshot-progress.ts"
import { type Final, Subscription } from "../channel/subscription.ts"
import type { Target } from "../channel/target.ts"
import { headAt } from "../connection/belated.ts"
import type { Belated, Connection } from "../connection/connection.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import type { Eventual } from "../publish/eventual.ts"
import type { Application } from "./application.ts"
import type { HandlerDeadline } from "./handler-deadline.ts"
import { UnknownEpoch } from "./unknown-epoch.ts"

export interface SubscribeHandlerPorts {
  readonly application: Application
  readonly deadline: HandlerDeadline
  readonly channels: Channels
  readonly finalDelivery: FinalDelivery
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
}

/** Puts cursors of clients on the logs of channels, and takes them off. */
export class SubscribeHandler {
  readonly #ports: SubscribeHandlerPorts
  readonly #unknownEpoch: UnknownEpoch
  /** By member and channel, the runs of handlers for clients that come with one request after the other. */
  readonly #running = new Map<string, Promise<unknown>>()

  constructor(ports: SubscribeHandlerPorts) {
    this.#ports = ports
    this.#unknownEpoch = new UnknownEpoch(ports)
  }

  /** Puts a cursor on the channel's log: where the client's stood, as far back as it asks, or at the tail. */
  async subscribe(connection: Connection, request: SubscriptionRequest): Promise<void> {
    const { application, channels } = this.#ports
    const { channel: name } = request
    const before = connection.subscriptions.get(name)
    if (before !== undefined) channels.remove(before)
    connection.subscriptions.set(name, undefined)
    try {
      const target = application.target(name)
      await this.#authorize(connection, target)
      const channel = await channels.acquire(target)
      try {
        const { position } = request
        if (position !== undefined) {
          const epochs = { known: channel.epoch, brought: position.epoch }
          this.#unknownEpoch.handlePosition(name, epochs, connection.since)
        }
        const from = await startOf(this.#ports.log, channel, request)
        const final = connection.belated && (await this.#finalOf(channel, from.position, connection.belated))
        if (connection.state === "open" && connection.subscriptions.has(name))
          start(connection, channel, from, final)
      } finally {
        channels.release(name)
      }
    } catch (error) {
      this.#end(connection, name, error)
      connection.belated?.handleServed()
    }
  }

  async #finalOf({ name }: Channel, position: Position, { atMs, handleServed }: Belated): Promise<Final> {
    const { log, limits } = this.#ports
    let isReached = false
    const handleReached = () => {
      if (isReached) return
      isReached = true
      handleServed()
    }
    return { head: await headAt(log, name, position, atMs, limits), handleReached }
  }

  /** Asks again whether the user may be subscribed, and ends the subscription if not. */
  async reauthorize(connection: Connection, channel: string): Promise<void> {
    if (!connection.subscriptions.has(channel)) return
    try {
      await this.#authorize(connection, this.#ports.application.target(channel))
    } catch (error) {
      this.#end(connection, channel, error)
    }
  }

  unsubscribe(connection: Connection, { channel }: Unsubscribe): void {
    const subscription = connection.subscriptions.get(channel)
    connection.subscriptions.delete(channel)
    if (subscription !== undefined) this.#ports.channels.remove(subscription)
  }

  /** The user may not be subscribed any more: the subscription gets what was there up to `heads`, and nothing behind. */
  revoke(connection: Connection, channel: string, error: HoldfastError, heads: Heads): void {
    const subscription = connection.subscriptions.get(channel)
    const ending = subscription === undefined ? [] : [subscription]
    this.#ports.finalDelivery.deliver(ending, heads, () => {
      // the client may have left or subscribed anew since
      if (connection.subscriptions.get(channel) === subscription) this.#end(connection, channel, error)
    })
  }

  async #authorize(connection: Connection, target: Target): Promise<void> {
    const { application, deadline, limits } = this.#ports
    const limit = limits.subscriptionsPerConnectionMax
    if (connection.subscriptions.size > limit) {
      const text = `a connection may have ${limit} subscriptions`
      throw new HoldfastError("too_many_subscriptions", text, { limit })
    }
    const rule = application.handlers(target).subscribe
    if (rule === undefined)
      throw new HoldfastError("not_allowed", `the server names no "subscribe" for ${target.match.pattern}`)
    if (rule === true) return
    const what = `subscribe to ${target.name}`
    const ask = () =>
      deadline.run(what, (run) =>
        application.guarded(what, () => rule(application.context(connection, target, run))),
      )
    const allowed = await (connection.isBrief ? this.#shared(connection, target, ask) : ask())
    if (allowed !== true)
      throw new HoldfastError("not_allowed", `no permission to subscribe to ${target.name}`)
  }

  /** A request that is over before its handler is leaves the run to the next one: asked anew each time, it would never be answered. */
  #shared({ member }: Connection, { name }: Target, ask: () => Eventual<unknown>): Eventual<unknown> {
    const key = `${member}\n${name}`
    const underWay = this.#running.get(key)
    if (underWay !== undefined) return underWay
    const asked = ask()
    if (!(asked instanceof Promise)) return asked
    this.#running.set(key, asked)
    const done = () => this.#running.delete(key)
    asked.then(done, done)
    return asked
  }

  /** Ends a subscription that could not be made, or may not go on, and says why. */
  #end(connection: Connection, channel: string, error: unknown): void {
    if (!connection.subscriptions.has(channel)) return
    this.unsubscribe(connection, { type: "unsubscribe", channel })
    const { code, message } = error instanceof HoldfastError ? error : this.#unexpected(channel, error)
    connection.send({ type: "unsubscribed", channel, code, message })
  }

  #unexpected(channel: string, error: unknown): HoldfastError {
    this.#ports.logger.error(`subscribe to ${channel} failed`, { error })
    return new HoldfastError("log_unavailable", "the channel can't be read at the moment")
  }
}

interface Start {
  readonly position: Position
  /** Entries of the position's epoch up to here are replayed. */
  readonly top: number
  /** The position is none of this log's, so a gap comes before anything else. */
  readonly isGapDue?: boolean
  /** The subscriber holds nothing yet, or wants it anew. */
  readonly isFresh: boolean
  /** Up to which offset its snapshot is complete, where that is above the position. */
  readonly snapshotOffset?: number | undefined
}

/** Where the cursor starts. */
async function startOf(log: Log, channel: Channel, request: SubscriptionRequest): Promise<Start> {
  const { position, history, load = false, snapshotOffset } = request
  if (position !== undefined) {
    const top = position.epoch === channel.epoch ? channel.tail : position.offset
    const isUnknown = position.epoch !== channel.epoch || position.offset > channel.tail
    const isGapDue = isUnknown && (await isUnknownTo(log, channel, position))
    return { position, top, isGapDue, isFresh: load, snapshotOffset }
  }
  if (history === undefined) {
    const { epoch, tail } = channel
    return { position: { epoch, offset: tail }, top: tail, isFresh: true }
  }
  const { epoch, top, base, floors } = await log.head(channel.name)
  if (history === "all") {
    return { position: { epoch, offset: Math.max(base, floors[EVENTS] ?? 0) }, top, isFresh: true }
  }
  const offset = await log.offsetOfLast(channel.name, EVENTS, history.last)
  // an offset of another life of the log would mean something else in this one
  const isOfLife = (await log.head(channel.name)).epoch === epoch
  if (!isOfLife) return startOf(log, channel, { channel: channel.name, history })
  return { position: { epoch, offset }, top, isFresh: true }
}

/** This node may be behind, so the log is asked. */
async function isUnknownTo(log: Log, { name }: Channel, { epoch, offset }: Position): Promise<boolean> {
  try {
    const head = await log.head(name)
    return head.epoch !== epoch || head.top < offset
  } catch {
    // without the log, nothing is known
    return false
  }
}

function start(connection: Connection, channel: Channel, begin: Start, final: Final | undefined): void {
  const { position, top, isGapDue, isFresh, snapshotOffset = 0 } = begin
  const { name, alias, hasSnapshot } = channel
  const subscription = new Subscription(channel, connection.outlet, position.epoch, position.offset)
  const snapshot = isFresh && hasSnapshot
  if (snapshot) {
    // a cursor that is ahead of this node proves that the log is there
    const fold = Math.max(position.offset, top)
    subscription.snapshot = new SnapshotProgress(fold)
    // the snapshot will have what the cursor does not reach
    subscription.snapshotOffset = fold
  } else subscription.snapshotOffset = snapshotOffset
  subscription.final = final
  connection.subscriptions.set(name, subscription)
  // with a snapshot, the cursor stands there only when that is complete
  const standing = snapshot ? undefined : position
  // a client is live at the top: this one is out of reach, so that it is live behind the gap
  const told = isGapDue ? position.offset + 1 : top
  connection.send({ type: "subscribed", channel: name, alias, position, top: told, snapshot }, standing)
  channel.add(subscription)
}
