/**
 * The port between the hub and a runtime's HTTP server: one request and its response. The runtime implements it; everything
 * else in this folder is written against it and against web standards.
 */
export interface Exchange<Native> {
  readonly request: HttpRequest
  readonly response: ResponseSink
  /** The request as the runtime has it, for `authenticate`. */
  readonly native: Native
}

/** What the hub reads of a request. A `Request` of the Fetch standard has this shape. */
export interface HttpRequest {
  readonly method: string
  /** Absolute, or without scheme and host: servers such as Node's do not know these. */
  readonly url: string
  readonly headers: RequestHeaders
  readonly body: AsyncIterable<Uint8Array> | null
  /** Whether the body was read before the request came here. */
  readonly bodyUsed: boolean
}

export interface RequestHeaders {
  readonly get: (name: string) => string | null
}

export type ResponseHeaders = Readonly<Record<string, string>>

/**
 * The way back to the peer. The Fetch standard has a `ReadableStream` here. On Node it costs a fifth more CPU per event and
 * doubles that of a poll, so the hub writes to this port, and a runtime with streams passes the bytes to a controller.
 */
export interface ResponseSink {
  /** Whether the response can still be written to: it has not ended, and its peer has not gone. */
  readonly isOpen: boolean
  /** Starts to notify `owner`. */
  readonly open: (owner: SinkOwner) => void
  /** Sends the status and the headers. Has to come once, before the body. */
  readonly begin: (status: number, headers: ResponseHeaders) => void
  /**
   * Writes bytes that other responses may share: they must be neither changed nor transferred. Returns false when the sink
   * holds more than its high-water mark; it took the bytes all the same, and `handleDrain` follows when it is empty again.
   */
  readonly write: (bytes: Uint8Array) => boolean
  /** Between `cork` and `uncork`, a sink may gather writes into one. */
  readonly cork: () => void
  readonly uncork: () => void
  readonly end: (bytes?: Uint8Array) => void
  /** Ends the response without its rest, as a failing network does. */
  readonly destroy: () => void
}

export interface SinkOwner {
  /** The sink was above its high-water mark, and is empty again. */
  readonly handleDrain: () => void
  /** The response is complete, or its peer has gone. Comes once. */
  readonly handleGone: () => void
}
