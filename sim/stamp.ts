import { msgpack } from "holdfast/msgpack"
import type { Stamp } from "./app.ts"
import { PRESENCE } from "./collections.ts"
import type { TrueEntry } from "./truth.ts"

/** Which operation an entry says that it comes from. */
export function stampOf({ collection, body }: Pick<TrueEntry, "collection" | "body">): Stamp {
  const decoded = msgpack.decode(body)
  if (collection !== PRESENCE) return decoded as Stamp
  // of a member, the log also keeps which node answers for it
  const [, payload] = decoded as [string, Uint8Array]
  return msgpack.decode(payload) as Stamp
}
