import { HoldfastError } from "../../protocol/error.ts"
import type { SubscriptionRequest, Unsubscribe } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import type { Channel } from "../channel/channel.ts"
import { EVENTS } from "../channel/facets.ts"
import { Subscription } from "../channel/subscription.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import type { Target } from "../target.ts"
import { contextOf, guarded, handlersOf, targetOf } from "./authorize.ts"

/** Puts a cursor on the channel's log: where the client's stood, as far back as it asks, or at the tail. */
export async function subscribe(
  core: Core,
  connection: Connection,
  request: SubscriptionRequest,
): Promise<void> {
  const { channel: name } = request
  const before = connection.subscriptions.get(name)
  if (before !== undefined) core.channels.remove(before)
  connection.subscriptions.set(name, undefined)
  try {
    const target = targetOf(core, name)
    await authorize(core, connection, target)
    const channel = await core.channels.acquire(target)
    try {
      const from = await startOf(core, channel, request)
      if (connection.state === "open" && connection.subscriptions.has(name)) start(connection, channel, from)
    } finally {
      core.channels.release(name)
    }
  } catch (error) {
    end(core, connection, name, error)
  }
}

/** Asks again whether the user may be subscribed, and ends the subscription if not. */
export async function reauthorize(core: Core, connection: Connection, channel: string): Promise<void> {
  if (!connection.subscriptions.has(channel)) return
  try {
    await authorize(core, connection, targetOf(core, channel))
  } catch (error) {
    end(core, connection, channel, error)
  }
}

export function unsubscribe(core: Core, connection: Connection, { channel }: Unsubscribe): void {
  const subscription = connection.subscriptions.get(channel)
  connection.subscriptions.delete(channel)
  if (subscription !== undefined) core.channels.remove(subscription)
}

async function authorize(core: Core, connection: Connection, target: Target): Promise<void> {
  const limit = core.limits.subscriptionsPerConnectionMax
  if (connection.subscriptions.size > limit) {
    throw new HoldfastError("too_many_subscriptions", `a connection may have ${limit} subscriptions`, {
      limit,
    })
  }
  const rule = handlersOf(core, target).subscribe
  if (rule === undefined)
    throw new HoldfastError("not_allowed", `the server names no "subscribe" for ${target.match.pattern}`)
  const allowed =
    rule === true ||
    (await guarded(core, `subscribe to ${target.name}`, () => rule(contextOf(core, connection, target)))) ===
      true
  if (!allowed) throw new HoldfastError("not_allowed", `no permission to subscribe to ${target.name}`)
}

/** The user may not be subscribed any more, nor be present. */
export function revoke(core: Core, connection: Connection, channel: string, reason: string): void {
  end(core, connection, channel, new HoldfastError("revoked", reason))
  connection.entering?.delete(channel)
  if (connection.entered?.has(channel) !== true) return
  core.members.leave(targetOf(core, channel), connection).catch(() => {
    // tried again by itself
  })
}

/** Ends a subscription that could not be made, or may not go on, and says why. */
function end(core: Core, connection: Connection, channel: string, error: unknown): void {
  if (!connection.subscriptions.has(channel)) return
  unsubscribe(core, connection, { type: "unsubscribe", channel })
  const { code, message } = error instanceof HoldfastError ? error : unexpected(core, channel, error)
  connection.send({ type: "unsubscribed", channel, code, message })
}

interface Start {
  readonly position: Position
  /** Entries of the position's epoch up to here are replayed. */
  readonly top: number
  /** The subscriber holds nothing yet, or wants it anew. */
  readonly isFresh: boolean
  /** Up to which offset its snapshot is complete, where that is above the position. */
  readonly snapshotOffset?: number | undefined
}

/** Where the cursor starts. */
async function startOf(core: Core, channel: Channel, request: SubscriptionRequest): Promise<Start> {
  const { position, history, load = false, snapshotOffset } = request
  if (position !== undefined) {
    // an offset means something in its own epoch only: of another one, nothing is known to be replayed
    const top = position.epoch === channel.epoch ? channel.tail : position.offset
    return { position, top, isFresh: load, snapshotOffset }
  }
  if (history === undefined) {
    const { epoch, tail } = channel
    return { position: { epoch, offset: tail }, top: tail, isFresh: true }
  }
  const { epoch, top, base, floors } = await core.log.head(channel.name)
  if (history === "all") {
    return { position: { epoch, offset: Math.max(base, floors[EVENTS] ?? 0) }, top, isFresh: true }
  }
  const offset = await core.log.offsetOfLast(channel.name, EVENTS, history.last)
  // an offset of another life of the log would mean something else in this one
  const isOfLife = (await core.log.head(channel.name)).epoch === epoch
  if (!isOfLife) return startOf(core, channel, { channel: channel.name, history })
  return { position: { epoch, offset }, top, isFresh: true }
}

function start(connection: Connection, channel: Channel, begin: Start): void {
  const { position, top, isFresh, snapshotOffset } = begin
  const { name, alias, keyed, hasSnapshot } = channel
  const subscription = new Subscription(channel, connection.outlet, position.epoch, position.offset)
  const snapshot = isFresh && hasSnapshot
  if (snapshot) {
    // a cursor that is ahead of this node proves that the log is there
    const fold = position.epoch === channel.epoch ? Math.max(position.offset, channel.tail) : position.offset
    subscription.snapshot = { after: 0, fold, loaded: undefined }
  }
  // the snapshot will have what the cursor does not reach
  const covered = snapshot ? top : snapshotOffset
  if (covered !== undefined) {
    subscription.cover(Object.fromEntries(keyed.map((collection) => [collection, covered])))
  }
  connection.subscriptions.set(name, subscription)
  // with a snapshot, the cursor stands there only when that is complete
  const standing = snapshot ? undefined : position
  connection.send({ type: "subscribed", channel: name, alias, position, top, snapshot }, standing)
  channel.add(subscription)
}

function unexpected(core: Core, channel: string, error: unknown): HoldfastError {
  core.logger.error(`subscribe to ${channel} failed`, { error })
  return new HoldfastError("log_unavailable", "the channel can't be read at the moment")
}
