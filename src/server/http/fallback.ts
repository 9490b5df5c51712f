import { pathOf } from "./address.ts"
import { type Answer, sendAnswer } from "./answer.ts"
import type { Exchange } from "./exchange.ts"

export interface FallbackOptions {
  /** Where the hub takes WebSockets. */
  readonly path: string
  /** Whether raw WebSockets are taken at a path. */
  readonly hasRaw: (path: string) => boolean
}

/** Answers a request to a server of the hub's own that nothing else has answered. */
export function answerFallback(
  { request, response }: Exchange<unknown>,
  { path, hasRaw }: FallbackOptions,
): void {
  const asked = pathOf(request.url)
  const answer = asked === path || hasRaw(asked) ? upgradeRequired() : notFound(path)
  sendAnswer(response, answer, request.method)
}

function upgradeRequired(): Answer {
  const text = "This is a Holdfast hub. It takes WebSockets; holdfast/client makes them."
  return plainText(426, text, { Upgrade: "websocket", Connection: "close, Upgrade" })
}

function notFound(path: string): Answer {
  const text = `Nothing is here. This is a Holdfast hub, which takes WebSockets at ${path}.`
  return plainText(404, text, { Connection: "close" })
}

function plainText(status: number, text: string, headers: Answer["headers"]): Answer {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body: `${text}\n` }
}
