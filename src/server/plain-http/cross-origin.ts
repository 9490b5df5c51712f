import type { IncomingMessage, ServerResponse } from "node:http"

/** How long a browser may go by the answer to a preflight, in seconds: Chromium's greatest. */
const MAX_AGE_S = 7_200

/** Lets a page of another origin, which was found to be allowed, read the answer (the Fetch standard's CORS). */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, credentials: boolean): void {
  response.appendHeader("Vary", "Origin")
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader("Access-Control-Allow-Origin", origin)
  if (credentials) response.setHeader("Access-Control-Allow-Credentials", "true")
}

/** Answers OPTIONS, which browsers ask with before they send what a form could not. */
export function answerPreflight(response: ServerResponse, methods: string): void {
  response.writeHead(204, {
    Allow: methods,
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": MAX_AGE_S,
  })
  response.end()
}
