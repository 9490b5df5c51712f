import type { Encoding } from "../../hub/ports/link.ts"
import { json } from "../../protocol/json.ts"
import { joinBytes } from "./join-bytes.ts"

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/** Items of a JSON array, each behind a comma. A ping is left out: an answer as a whole has no need of it. */
export const listItems: Encoding = {
  name: "list-items",
  frame: (message) =>
    (message as { type?: unknown }).type === "ping" ? NOTHING : encoder.encode(`,${json.encode(message)}`),
  join: joinBytes,
}
