import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"

/** Takes an upgrade request over: from here the socket is the handler's. Must not throw. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void
