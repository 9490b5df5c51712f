import type { Position } from "./position.ts"

/** The wire's version and codec, as WebSocket subprotocols. */
export const subprotocols = { json: "holdfast.v1.json", msgpack: "holdfast.v1.msgpack" } as const

/** What a fresh subscription sees of the past: the last so many events, or all that the log retains. */
export type History = { readonly last: number } | "all"

export interface SubscriptionRequest {
  readonly channel: string
  /** Where the subscriber's cursor stands: everything behind it is delivered, or a gap says what is missing. */
  readonly position?: Position
  /** With a position: up to which offset the subscriber's last snapshot was complete, if that is above the position. */
  readonly snapshotOffset?: number
  /** Without a position: how far back to start. Default: now. */
  readonly history?: History
  /** With a position: whether a snapshot comes all the same, for the sake of what the channel's loader loads. */
  readonly load?: boolean
}

/** A channel whose presence the client is to be in, and the data that it enters with. */
export interface PresenceRequest {
  readonly channel: string
  readonly data: unknown
  readonly version: number
}

// --- from client to server ---------------------------------------------------------------------------------------

/** The first message. Carries the token and every subscription with its position, so one round trip resumes everything. */
export interface Hello {
  readonly type: "hello"
  readonly token?: string
  /**
   * A secret that the client drew at random (22 or more characters) and keeps across reconnects: with the user's id it is the client's
   * identity in presence.
   */
  readonly session: string
  readonly subscriptions: readonly SubscriptionRequest[]
  /** What the client has entered, and enters with this connection too. */
  readonly presence?: readonly PresenceRequest[]
  /** Since when the client is there: `now` of the first welcome that it got. */
  readonly since?: number
}
export interface Subscribe extends SubscriptionRequest {
  readonly type: "subscribe"
}
export interface Unsubscribe {
  readonly type: "unsubscribe"
  readonly channel: string
}
export interface Publish {
  readonly type: "publish"
  readonly id: number
  readonly channel: string
  readonly name: string
  readonly data: unknown
  readonly idempotencyKey: string
}
export interface SetState {
  readonly type: "set"
  readonly id: number
  readonly channel: string
  readonly name: string
  readonly key: string
  readonly data: unknown
  readonly idempotencyKey: string
}
export interface DeleteState {
  readonly type: "delete"
  readonly id: number
  readonly channel: string
  readonly name: string
  readonly key: string
  readonly idempotencyKey: string
}
/** Enters the channel's presence, or replaces the data of the member that is there. */
export interface Enter {
  readonly type: "enter"
  readonly id: number
  readonly channel: string
  readonly data: unknown
  /**
   * The greater of the server's time in ms and one more than the client's last version in this channel. Of all that a client asks for in a
   * channel, the highest version counts, whatever arrives when.
   */
  readonly version: number
}
export interface Leave {
  readonly type: "leave"
  readonly id: number
  readonly channel: string
  /** As of `enter`. */
  readonly version: number
}
/** Fire and forget: has no id and gets no answer, unless it is refused. */
export interface SendSignal {
  readonly type: "signal"
  readonly channel: string
  readonly name: string
  readonly data: unknown
}
export interface Call {
  readonly type: "call"
  readonly id: number
  readonly channel: string
  readonly name: string
  readonly data: unknown
  /** How long the caller waits, in ms. */
  readonly timeoutMs: number
}
/** A fresh token, sent before the old one expires. */
export interface Token {
  readonly type: "token"
  readonly token: string
}
/** The answer to ping, of either side. */
export interface Pong {
  readonly type: "pong"
}

export type ClientMessage =
  | Hello
  | Subscribe
  | Unsubscribe
  | Publish
  | SetState
  | DeleteState
  | Enter
  | Leave
  | SendSignal
  | Call
  | Token
  | Ping
  | Pong

// --- from server to client ---------------------------------------------------------------------------------------

export interface Welcome {
  readonly type: "welcome"
  readonly connection: string
  /** This client's public name in presence and signals: a one-way function of its user's id and its session. */
  readonly member: string
  /** The server sends something at least this often, in ms; a client that hears nothing for twice as long is cut off. */
  readonly heartbeatMs: number
  /** The largest message that the server takes, in bytes. */
  readonly messageBytesMax: number
  /** How long the server knows a publish again by its idempotency key, in ms. */
  readonly idempotencyWindowMs: number
  /** When the token expires, in ms since 1970 of the server's clock, and that clock's time now. */
  readonly expiresAt?: number
  readonly now: number
}
/** The answer to a fresh token that was taken. */
export interface TokenTaken {
  readonly type: "token"
  /** When it expires, in ms since 1970 of the server's clock, and that clock's time now. */
  readonly expiresAt?: number
  readonly now: number
}
/** The answer to a subscription. `alias` stands for the channel in all that follows. */
export interface Subscribed {
  readonly type: "subscribed"
  readonly channel: string
  readonly alias: number
  /** Where delivery starts. */
  readonly position: Position
  /** The log's top when the subscription was made: entries up to here are replayed, later ones are live. */
  readonly top: number
  /** A snapshot follows before any entry. */
  readonly snapshot: boolean
}
/**
 * Entries after `from` up to and including `to` can no longer be had, or are not known. Without `collections` these are entries of any
 * kind; with them, only of these collections, and what is retained of the others follows.
 */
export interface Gap {
  readonly type: "gap"
  readonly alias: number
  readonly reason: GapReason
  /** `events`, `presence`, or `state/` and the name of a state. */
  readonly collections?: readonly string[]
  readonly from: Position
  readonly to: Position
  /** Where the cursor stands behind it: before the next entry that is retained. */
  readonly position: Position
  /** A snapshot follows before any entry. The cursor moves when that is complete. */
  readonly snapshot: boolean
}
/**
 * `trimmed`: the log no longer retains them. `new-epoch`: the log was lost and has begun anew. `unknown-position`: the
 * position is above the log's top, so it is none of this log's.
 */
export type GapReason = "trimmed" | "new-epoch" | "unknown-position"

/**
 * A part of the channel's states and members. The parts together, in order, are the fold up to the `offset` of the last one, so the last
 * of what is said of a key counts; entries of states and presence up to that offset change nothing any more.
 */
export interface Snapshot {
  readonly type: "snapshot"
  readonly alias: number
  /** How far it has come; in the last part, where it is complete. */
  readonly offset: number
  readonly entries: readonly SnapshotEntry[]
  /** The parts before this one count for nothing: something was forgotten while they were read, so the snapshot begins again. */
  readonly restarts?: true
  /**
   * With the last part, if the channel has a loader: the value it loaded, after the log had come to `offset`. Entries
   * behind that offset are not in it for certain, entries up to there are.
   */
  readonly loaded?: { readonly offset: number; readonly data: unknown }
  /** Whether this was the last part. Only then does the snapshot replace what the client held. */
  readonly last: boolean
}
export type SnapshotEntry =
  | Omit<StateSet, "alias">
  | Omit<StateDeleted, "alias">
  | Omit<Joined, "alias">
  | Omit<Left, "alias">

export interface Event {
  readonly type: "event"
  readonly alias: number
  readonly offset: number
  /** When it was published, in ms since 1970 of the server's clock. */
  readonly at: number
  readonly name: string
  readonly data: unknown
}
export interface StateSet {
  readonly type: "set"
  readonly alias: number
  readonly offset: number
  readonly at: number
  readonly name: string
  readonly key: string
  readonly data: unknown
}
export interface StateDeleted {
  readonly type: "delete"
  readonly alias: number
  readonly offset: number
  readonly at: number
  readonly name: string
  readonly key: string
}
export interface Joined {
  readonly type: "join"
  readonly alias: number
  readonly offset: number
  readonly at: number
  readonly member: string
  /** The id of the member's user, as text; absent when the user has none. */
  readonly user?: string
  readonly data: unknown
}
export interface Left {
  readonly type: "left"
  readonly alias: number
  readonly offset: number
  readonly at: number
  readonly member: string
}
/** What the log carries, on the wire. */
export type EntryMessage = Event | StateSet | StateDeleted | Joined | Left

/**
 * The cursor stands at `offset`: between the entries before and here nothing is left, or it was reported as lost, or it is replaced by
 * entries that follow.
 */
export interface Reached {
  readonly type: "position"
  readonly alias: number
  readonly offset: number
}

export interface Signal {
  readonly type: "signal"
  readonly alias: number
  readonly name: string
  /** The member that sent it; absent when the server did. */
  readonly from?: string
  readonly data: unknown
}
/** The server has ended a subscription, or refused it. */
export interface Unsubscribed {
  readonly type: "unsubscribed"
  readonly channel: string
  readonly code: string
  readonly message: string
}
/** The server has removed the client from a channel's presence, or has not let it in with its hello. */
export interface Removed {
  readonly type: "removed"
  readonly channel: string
  readonly code: string
  readonly message: string
  /** As of `error`. */
  readonly version?: number
}
/** The answer to a message with an id: `position` for what was appended, `data` for a call. */
export interface Result {
  readonly type: "result"
  readonly id: number
  readonly position?: Position
  readonly data?: unknown
}
/** The refusal of a message. Without an id when the message had none, or none that could be read. */
export interface Failure {
  readonly type: "error"
  readonly id?: number
  readonly channel?: string
  readonly code: string
  readonly message: string
  readonly path?: string
  readonly limit?: number
  /** Of `superseded`: the lowest version that is accepted now. Of `version_ahead`: the server's time in ms since 1970. */
  readonly version?: number
  readonly data?: unknown
}
/**
 * The server will close this connection. A client that should come back does so after `afterMs`, and is served here until
 * it has, or for some time more.
 */
export interface GoAway {
  readonly type: "goaway"
  readonly reason: string
  readonly reconnect: boolean
  readonly afterMs: number
}
/** Whether the server can reach its log: while it cannot, nothing arrives, and what is published waits. */
export interface LogAvailability {
  readonly type: "log"
  readonly available: boolean
}
/** Has to be answered with pong, by either side. */
export interface Ping {
  readonly type: "ping"
}

export type ServerMessage =
  | Welcome
  | TokenTaken
  | Subscribed
  | Gap
  | Snapshot
  | EntryMessage
  | Reached
  | Signal
  | Unsubscribed
  | Removed
  | Result
  | Failure
  | GoAway
  | LogAvailability
  | Ping
  | Pong
