import type { HoldfastError } from "../../protocol/error.ts"
import type { Answer } from "./answer.ts"
import type { ResponseHeaders } from "./exchange.ts"

/** The status of a refusal, by the code of its error. */
const statusOf: ReadonlyMap<string, number> = new Map([
  ["invalid_request", 400],
  ["invalid_message", 400],
  ["too_many_subscriptions", 400],
  ["unauthorized", 401],
  ["token_expired", 401],
  ["not_allowed", 403],
  ["disconnected", 403],
  ["unknown_channel", 404],
  ["method_not_allowed", 405],
  ["message_too_large", 413],
  ["unsupported_media_type", 415],
  ["too_many_connections", 503],
  ["closed", 503],
  ["log_unavailable", 503],
  ["handler_timeout", 503],
])

/** RFC 9110 15 */
const titleOf: ReadonlyMap<number, string> = new Map([
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [413, "Content Too Large"],
  [415, "Unsupported Media Type"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
])

/** For clients that retry by themselves, in seconds. */
const RETRY_AFTER_S = 1

/** What is wrong with a request. */
export type Refusal = Pick<HoldfastError, "code" | "message" | "path" | "limit">

export interface ProblemOptions {
  /** Default: the status of the error's code, or 500. */
  readonly status?: number
  readonly headers?: ResponseHeaders
}

/** A refusal for programs and for people (RFC 9457). */
export function problemOf(
  { code, message, path, limit }: Refusal,
  { status = statusOf.get(code) ?? 500, headers = {} }: ProblemOptions = {},
): Answer {
  const title = titleOf.get(status) ?? "Error"
  return {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
      ...(status === 503 && { "Retry-After": `${RETRY_AFTER_S}` }),
      ...(closesConnection(status, code) && { Connection: "close" }),
      ...headers,
    },
    body: `${JSON.stringify({ type: "about:blank", title, status, detail: message, code, path, limit })}\n`,
  }
}

function closesConnection(status: number, code: string): boolean {
  // The rest of a body that is too large would stand before the next request, and is too much to be read and thrown away.
  if (status === 413) return true
  // The next request then goes to another node.
  return code === "closed"
}
