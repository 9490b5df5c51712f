import { msgpack } from "holdfast/msgpack"
import type { Draft } from "holdfast/testing"
import type { Stamp } from "./app.ts"

/** Which operation an entry says that it comes from. */
export function stampOf({ kind, body }: Pick<Draft, "kind" | "body">): Stamp {
  const decoded = msgpack.decode(body)
  if (kind !== "join") return decoded as Stamp
  // of a member, the log also keeps which node answers for it
  const [, payload] = decoded as [string, Uint8Array]
  return msgpack.decode(payload) as Stamp
}
