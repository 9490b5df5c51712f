import { readEvents, readPolls } from "./plain-http-reader.ts"
import { type Reader, readWithSdk } from "./reader.ts"

/** Every way to read, by its name. */
export const READERS: Readonly<Record<string, (port: number) => Promise<Reader>>> = {
  "a WebSocket": readWithSdk,
  "server-sent events": readEvents,
  "long-polling": readPolls,
}
