// The codes that a client uses itself stand alone, so that its bundle does without the table.
export const CLOSE_NORMAL = 1000
/** Never sent: what a WebSocket tells its own side when the line was cut, or never opened. */
export const CLOSE_CUT = 1006
export const CLOSE_PROTOCOL_ERROR = 4400
export const CLOSE_UNAUTHORIZED = 4401
export const CLOSE_TIMEOUT = 4408

/**
 * The codes with which a WebSocket is closed (RFC 6455 7.4; 4000 to 4999 are an application's own), and whether a client
 * comes back by itself.
 */
export const closeCodes = {
  /** Orderly, at the end of use. */
  normal: { code: CLOSE_NORMAL, reconnect: false },
  /** The server goes away, as in a deploy; or a browser leaves the page. */
  goingAway: { code: 1001, reconnect: true },
  /** Text that is not UTF-8. */
  invalidUtf8: { code: 1007, reconnect: false },
  /** A frame beyond the hard limit; a message between the soft and the hard limit only gets an error. */
  tooLarge: { code: 1009, reconnect: false },
  internal: { code: 1011, reconnect: true },
  /** The peer breaks the protocol: no hello, a second hello, no common subprotocol. */
  protocolError: { code: CLOSE_PROTOCOL_ERROR, reconnect: false },
  /** The token was refused or has expired: come back with another. */
  unauthorized: { code: CLOSE_UNAUTHORIZED, reconnect: true },
  /** The server's own code ended the connection for good. */
  disconnected: { code: 4403, reconnect: false },
  /** Nothing was heard for longer than the heartbeat allows, or no hello came in time. */
  timeout: { code: CLOSE_TIMEOUT, reconnect: true },
} as const

export type CloseReason = keyof typeof closeCodes

/** A close code's greatest reason, in bytes of UTF-8 (RFC 6455 5.5: a control frame carries at most 125 bytes). */
export const CLOSE_REASON_BYTES_MAX = 123

/** Those of the table after which a client does not come back. */
const FINAL_CODES: readonly number[] = [CLOSE_NORMAL, 1007, 1009, CLOSE_PROTOCOL_ERROR, 4403]

/** Whether a client comes back after `code`: always, unless the code says no. */
export function reconnectsAfter(code: number): boolean {
  return !FINAL_CODES.includes(code)
}
