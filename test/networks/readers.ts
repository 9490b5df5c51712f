import { readEvents, readPolls } from "./plain-http-reader.ts"
import { type Reader, readBy } from "./reader.ts"

/** Every way to read, by its name. */
export const READERS: Readonly<Record<string, (port: number) => Promise<Reader>>> = {
  "a WebSocket": readBy("websocket"),
  "server-sent events": readBy("sse"),
  "long-polling": readBy("poll"),
  "server-sent events, without the SDK": readEvents,
  "long-polling, without the SDK": readPolls,
}
