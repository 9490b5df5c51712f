import type { ResponseHeaders, ResponseSink } from "./exchange.ts"

/** A response that is known as a whole. */
export interface Answer {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body?: string
}

const encoder = new TextEncoder()

/** Sends a whole response; without its body when the method is HEAD. */
export function sendAnswer(
  response: ResponseSink,
  { status, headers, body = "" }: Answer,
  method?: string,
): void {
  const bytes = encoder.encode(body)
  // RFC 9110 8.6: a 204 has no Content-Length
  const length = status === 204 ? {} : { "Content-Length": `${bytes.byteLength}` }
  response.begin(status, { ...headers, ...length })
  response.end(method === "HEAD" || bytes.byteLength === 0 ? undefined : bytes)
}
