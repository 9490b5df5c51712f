import { msgpack } from "holdfast/msgpack"
import type { Draft } from "holdfast/testing"
import type { Stamp } from "./app.ts"

/** Which operation an entry says that it comes from. */
export function stampOf({ body }: Pick<Draft, "body">): Stamp {
  return msgpack.decode(body) as Stamp
}
