import { decodeBody, encodeBody } from "../protocol/msgpack.ts"

/** What a `join` entry holds: which node answers for the member, and what the member said of itself. */
export interface Membership {
  readonly node: string
  readonly data: unknown
}

/** @param payload the member's data, MessagePack */
export function encodeMembership(node: string, payload: Uint8Array): Uint8Array {
  return encodeBody([node, payload])
}

export function decodeMembership(body: Uint8Array): Membership {
  const [node, payload] = decodeBody(body) as [string, Uint8Array]
  return { node, data: decodeBody(payload) }
}
