import { decodeBody, encodeBody } from "../../protocol/body.ts"

/** What a `join` entry holds: which node answers for the member, and what the member said of itself. */
export interface Membership {
  readonly node: string
  /** A body of its own. */
  readonly payload: Uint8Array
  /** When the client opened the line over which it entered, by its own clock. */
  readonly openedAt: number
  /** Whether it entered with a request of its own, so that each of its nodes may answer for it, and not over a line. */
  readonly isBrief: boolean
}

export function encodeMembership({ node, payload, openedAt, isBrief }: Membership): Uint8Array {
  return encodeBody([node, payload, openedAt, isBrief], "msgpack")
}

export function decodeMembership(body: Uint8Array): Membership {
  const [node, payload, openedAt, isBrief] = decodeBody(body) as [string, Uint8Array, number, boolean]
  return { node, payload, openedAt, isBrief }
}

/** What the member said of itself, encoded. */
export function memberBody(body: Uint8Array): Uint8Array {
  return decodeMembership(body).payload
}

/**
 * The body of a `left` entry when it was not the client that left: a lease was over, or a line was cut and did not come back.
 * A node that knows better enters the member again.
 */
export const LEASE_OVER = encodeBody("lease")

/** The body of a `left` entry of a client that left over a line that it had opened then. */
export function hasLeft(openedAt: number): Uint8Array {
  return encodeBody(openedAt)
}

/** When the line was opened over which the client left; undefined when it was not the client that left. */
export function openedAtOf(left: Uint8Array): number | undefined {
  const why = decodeBody(left)
  return typeof why === "number" ? why : undefined
}
