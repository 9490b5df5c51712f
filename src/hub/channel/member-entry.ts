import { decodeBody, encodeBody } from "../../protocol/body.ts"

/** What a member's entry says. */
export interface MemberEntry {
  /** The id of its user, if that has one. */
  readonly user: string | undefined
  /** The member's data, a body of its own. */
  readonly data: Uint8Array
}

export function encodeMember({ user, data }: MemberEntry): Uint8Array {
  return encodeBody([user ?? null, data], "msgpack")
}

export function decodeMember(body: Uint8Array): MemberEntry {
  const [user, data] = decodeBody(body) as [string | null, Uint8Array]
  return { user: user ?? undefined, data }
}
