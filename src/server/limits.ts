import type { Limits } from "../hub/limits.ts"

/** How many bytes may wait in one link. */
export interface LinkLimits {
  /** Above, the link reports that it is full. The socket's own mark is the minimum. */
  readonly highWaterBytes: number
  /** Above, the peer is not read from either: it asks without reading the answers. */
  readonly unsentBytesMax: number
}

/** The limits of a hub on a runtime: of its connections, of its sockets and of its requests. */
export interface ServerLimits extends Limits, LinkLimits {
  /** WebSockets of one hub on this process, raw ones included; beyond, handshakes are answered 503. */
  readonly connectionsMax: number
  /** How many messages of a raw socket wait for their reader before the peer is not read from. */
  readonly rawInboxMessagesMax: number
  /** How much the sender of a raw socket, if it does not wait for room, may leave there before the line is cut. */
  readonly rawUnsentBytesMax: number
  /** How long a request to the hub's own HTTP server may take to arrive. */
  readonly requestTimeoutMs: number
  /** The largest body of a request to one of the hub's plain HTTP addresses. */
  readonly requestBytesMax: number
  /** Channels that one plain HTTP request may subscribe to. */
  readonly channelsPerRequestMax: number
  /** Messages that one plain HTTP request may send. */
  readonly messagesPerRequestMax: number
  /** The longest that a poll is held open while there is nothing to tell. */
  readonly pollWaitMsMax: number
  /** A poll is answered, though there is more to be had at once, when its answer has about so many bytes. */
  readonly pollBytesMax: number
}

export const defaultServerLimits = {
  connectionsMax: 100_000,
  highWaterBytes: 64 * 1024,
  unsentBytesMax: 1024 * 1024,
  rawInboxMessagesMax: 16,
  rawUnsentBytesMax: 16 * 1024 * 1024,
  requestTimeoutMs: 10_000,
  requestBytesMax: 1024 * 1024,
  channelsPerRequestMax: 1_000,
  messagesPerRequestMax: 100,
  pollWaitMsMax: 25_000,
  pollBytesMax: 1024 * 1024,
} as const
