import type { Encoding } from "../../hub/ports/link.ts"
import { bytesOf, piecesOf } from "../../protocol/pieces.ts"
import { joinBytes } from "./join-bytes.ts"

const NOTHING = new Uint8Array(0)

/** Items of a JSON array, each behind a comma. A ping is left out: an answer as a whole has no need of it. */
export const listItems: Encoding = {
  name: "list-items",
  codec: "json",
  frame: (message) =>
    (message as { type?: unknown }).type === "ping" ? NOTHING : bytesOf([",", ...piecesOf("json", message)]),
  join: joinBytes,
}
