import { decodeBody, encodeBody } from "../../protocol/msgpack.ts"

/** What a member's entry says. */
export interface MemberEntry {
  /** The id of its user, if that has one. */
  readonly user: string | undefined
  readonly data: unknown
}

/** @param data the member's data, MessagePack */
export function encodeMember(user: string | undefined, data: Uint8Array): Uint8Array {
  return encodeBody([user ?? null, data])
}

export function decodeMember(body: Uint8Array): MemberEntry {
  const [user, data] = decodeBody(body) as [string | null, Uint8Array]
  return { user: user ?? undefined, data: decodeBody(data) }
}
