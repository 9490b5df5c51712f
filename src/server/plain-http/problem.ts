import { Buffer } from "node:buffer"
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { HoldfastError } from "../../protocol/error.ts"

/** With which status a request is refused, by the code of the error. */
const statusOf: ReadonlyMap<string, number> = new Map([
  ["invalid_request", 400],
  ["invalid_message", 400],
  ["too_many_subscriptions", 400],
  ["unauthorized", 401],
  ["token_expired", 401],
  ["not_allowed", 403],
  ["unknown_channel", 404],
  ["method_not_allowed", 405],
  ["message_too_large", 413],
  ["unsupported_media_type", 415],
  ["too_many_connections", 503],
  ["closed", 503],
  ["log_unavailable", 503],
])

/** For clients that come back by themselves, in seconds. */
const RETRY_AFTER_S = 1

/** A refusal, as those that are refused are told of it. */
export type Refusal = Pick<HoldfastError, "code" | "message" | "path" | "limit">

export interface ProblemOptions {
  /** Default: what belongs to the error's code, or 500. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a request with what is wrong with it, for programs and for people (RFC 9457). */
export function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  { code, message, path, limit }: Refusal,
  { status = statusOf.get(code) ?? 500, headers = {} }: ProblemOptions = {},
): void {
  if (response.headersSent || response.destroyed) return
  const title = STATUS_CODES[status] ?? "Error"
  const body = Buffer.from(
    `${JSON.stringify({ type: "about:blank", title, status, detail: message, code, path, limit })}\n`,
  )
  response.writeHead(status, {
    "Content-Type": "application/problem+json",
    "Content-Length": body.byteLength,
    "Cache-Control": "no-store",
    ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
    ...(status === 503 && { "Retry-After": RETRY_AFTER_S }),
    // its rest would stand before the next request, and is too much to be thrown away
    // so that what is on the same line next finds another node
    ...(code === "closed" && request.httpVersionMajor === 1 && { Connection: "close" }),
    ...(status === 413 && request.httpVersionMajor === 1 && { Connection: "close" }),
    ...headers,
  })
  response.end(body)
}
