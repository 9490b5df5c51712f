import type { IncomingMessage } from "node:http"

/** The first of the client's offers, which are in the order that it prefers (RFC 6455 11.3.4), that is supported. */
export function chooseSubprotocol(
  request: IncomingMessage,
  supported: readonly string[],
): string | undefined {
  const offers = request.headers["sec-websocket-protocol"]?.split(",") ?? []
  return offers.map((name) => name.trim()).find((name) => supported.includes(name))
}
