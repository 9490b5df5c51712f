import type { ResponseHeaders } from "./exchange.ts"

/** How long a browser may reuse the answer to a preflight, in seconds: Chromium's maximum. */
const MAX_AGE_S = 7_200

/** The headers that let a page of an allowed origin read the answer (the Fetch standard's CORS protocol). */
export function corsHeaders(origin: string | null, credentials: boolean): ResponseHeaders {
  if (origin === null) return { Vary: "Origin" }
  return {
    Vary: "Origin",
    "Access-Control-Allow-Origin": origin,
    ...(credentials && { "Access-Control-Allow-Credentials": "true" }),
  }
}

/** Answers OPTIONS, which browsers send before a request that a form could not make. */
export function preflightHeaders(methods: string): ResponseHeaders {
  return {
    Allow: methods,
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": `${MAX_AGE_S}`,
  }
}
