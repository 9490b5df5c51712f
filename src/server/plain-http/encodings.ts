import { Buffer } from "node:buffer"
import type { Encoding } from "../../hub/ports/link.ts"
import { bytesOf, piecesOf } from "../../protocol/pieces.ts"
import { formatEventId } from "./event-id.ts"

/**
 * Events of `text/event-stream`: the message as JSON, and where a cursor stands behind it as the id, which is what a browser
 * sends back as Last-Event-ID. They have no name, so `onmessage` gets all of them.
 */
export const eventStream: Encoding = {
  name: "event-stream",
  codec: "json",
  frame: (message, position) => {
    const id = position === undefined ? "" : `id: ${formatEventId(position)}\n`
    return bytesOf([`${id}data: `, ...piecesOf("json", message), "\n\n"])
  },
  join: (frames) => Buffer.concat(frames),
}

const NOTHING = Buffer.alloc(0)

/** Items of a JSON array, each behind a comma. A ping is none: nobody could answer it. */
export const listItems: Encoding = {
  name: "list-items",
  codec: "json",
  frame: (message) =>
    (message as { type?: unknown }).type === "ping" ? NOTHING : bytesOf([",", ...piecesOf("json", message)]),
  join: (frames) => Buffer.concat(frames),
}
