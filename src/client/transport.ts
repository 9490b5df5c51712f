/** One encoded message. */
export type Wire = string | Uint8Array

/** How the client reaches a server. A new way to carry messages is a new transport, and nothing else changes. */
export interface Transport {
  /** What `client.transport` says while it is in use. */
  readonly name?: string
  /**
   * Starts to open a line. Returns before any event; `onClose` is the last one, also when the line never opened.
   */
  readonly open: (url: string, events: LineEvents) => Line
}

/** Carries whole messages, in order, both ways, until it closes. */
export interface Line {
  /** Only between `onOpen` and `onClose`. */
  readonly send: (wire: Wire) => void
  readonly close: (code: number, reason: string) => void
  /** How many bytes were sent but have not left yet. */
  readonly bufferedBytes: () => number
}

export interface LineEvents {
  /**
   * A hello is to be sent. A line that is a sequence of requests, each with a hello of its own, asks for one as often as it needs
   * one; then `brief` is true, the hello has all subscriptions and the presence, and counts instead of what was sent before.
   */
  readonly onOpen: (brief?: boolean) => void
  readonly onMessage: (wire: Wire) => void
  /** With a code of RFC 6455; 1006 when the line was cut or never opened. */
  readonly onClose: (code: number, reason: string) => void
}
