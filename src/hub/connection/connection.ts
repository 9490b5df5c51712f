import { type CloseReason, closeCodes } from "../../protocol/close.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Failure, ServerMessage } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import type { ChannelSubscription } from "../channel/channel.ts"
import type { Outlet } from "../channel/outlet.ts"
import type { Inbox } from "./inbox.ts"

/** What a request is served whose client was ended before it came: the entries up to the ending, for each of its subscriptions. */
export interface Belated {
  readonly atMs: number
  /** One of the subscriptions has them, or was refused. */
  readonly handleServed: () => void
}

/** One client's connection: who it is, what it has subscribed to, and how to answer it. */
export class Connection {
  readonly id: string
  /** How many endings there had been before it began. */
  readonly endingsBefore: number
  readonly outlet: Outlet
  readonly inbox: Inbox
  /** The HTTP request it began with, as long as somebody may have to look at it. */
  request: unknown
  /** `ending`: it gets what was there when it was ended, and nothing that it sends is taken. */
  state: "new" | "authenticating" | "open" | "ending" | "closed" = "new"
  /** Its client was ended before it came. */
  belated: Belated | undefined
  /** It was ended for good, so its members leave at once. */
  leaves = false
  /** Of an `ending` connection: resolves when its link was closed. */
  ended: Promise<void> | undefined
  user: unknown = undefined
  /** Since when its client is there, on a server's clock, if it has said so. */
  since: number | undefined
  member = ""
  /** Takes back that the connection is closed when the token expires. */
  cancelExpiry: (() => void) | undefined
  /** When the token expires, ms since 1970. */
  expiresAt = Number.POSITIVE_INFINITY
  /** By channel name; `undefined` while the subscription is being authorized. */
  readonly subscriptions = new Map<string, ChannelSubscription | undefined>()
  /** Channels whose presence it has entered or is about to, with the data that it asked to enter with, MessagePack. */
  entered: Map<string, Uint8Array> | undefined
  /** Channels whose presence it may not enter any more. */
  revoked: Set<string> | undefined
  /** Whether anything was heard of the peer since the last look, and how many looks there were without. */
  heard = true
  silentLooks = 0

  /** It was told to come back: takes back that it is closed when it has not in time. */
  cancelHandover: (() => void) | undefined

  constructor(id: string, endingsBefore: number, outlet: Outlet, inbox: Inbox, request: unknown) {
    this.id = id
    this.endingsBefore = endingsBefore
    this.outlet = outlet
    this.inbox = inbox
    this.request = request
  }

  /** Whether it is one request of a client that comes with many, and no line. */
  get isBrief(): boolean {
    return this.outlet.link.brief === true
  }

  /** What its client speaks. */
  get codec(): CodecName {
    return this.outlet.link.encoding.codec
  }

  /** Who the user is, as far as the server has said. */
  get userId(): string | undefined {
    return idOf(this.user)
  }

  send(message: ServerMessage, position?: Position): void {
    if (this.state !== "closed") this.outlet.send(message, position)
  }

  /** Tells the client that something it sent was refused. */
  fail(
    error: HoldfastError,
    about: { readonly id?: number | undefined; readonly channel?: string | undefined } = {},
  ): void {
    const failure: { -readonly [K in keyof Failure]: Failure[K] } = {
      type: "error",
      code: error.code,
      message: error.message,
    }
    if (about.id !== undefined) failure.id = about.id
    if (about.channel !== undefined) failure.channel = about.channel
    if (error.path !== undefined) failure.path = error.path
    if (error.limit !== undefined) failure.limit = error.limit
    if (error.version !== undefined) failure.version = error.version
    if (error.data !== undefined) failure.data = error.data
    this.send(failure)
  }

  /** Ends the connection in an orderly way. `reason` is for people; the link cuts it to what it can carry. */
  close(why: CloseReason, reason: string): void {
    if (this.state === "closed") return
    this.outlet.link.close(closeCodes[why].code, reason)
  }
}

/** The token has expired, and no other has come. */
export function expire(connection: Connection): void {
  // it gets what was there when it was ended, and no more
  if (connection.state === "ending") return
  connection.fail(new HoldfastError("token_expired", errorCodes.token_expired))
  connection.close("unauthorized", "token_expired")
}

/** The `id` of a user that has one. */
export function idOf(user: unknown): string | undefined {
  const id = (user as { id?: unknown } | null | undefined)?.id
  return typeof id === "string" || typeof id === "number" ? `${id}` : undefined
}
