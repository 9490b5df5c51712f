import type { Encoding } from "../../../hub/ports/link.ts"
import { bytesOf, piecesOf } from "../../../protocol/pieces.ts"
import { joinBytes } from "../join-bytes.ts"
import { formatEventId } from "./event-id.ts"

/**
 * Events of `text/event-stream`: the message as JSON. The id is the subscriber's position behind the message, which browsers
 * send back as Last-Event-ID. Events have no name, so `onmessage` gets all of them.
 */
export const eventStream: Encoding = {
  name: "event-stream",
  codec: "json",
  frame: (message, position) => {
    const id = position === undefined ? "" : `id: ${formatEventId(position)}\n`
    return bytesOf([`${id}data: `, ...piecesOf("json", message), "\n\n"])
  },
  join: joinBytes,
}
