import { decodeBody } from "holdfast/testing"
import type { Stamp } from "./app.ts"
import { PRESENCE } from "./collections.ts"
import type { TrueEntry } from "./truth.ts"

/** Which operation an entry says that it comes from. */
export function stampOf({ collection, body }: Pick<TrueEntry, "collection" | "body">): Stamp {
  const decoded = decodeBody(body)
  if (collection !== PRESENCE) return decoded as Stamp
  // of a member, the log also keeps its user
  const [, data] = decoded as [string | null, Uint8Array]
  return decodeBody(data) as Stamp
}
