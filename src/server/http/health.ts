import type { IncomingMessage, ServerResponse } from "node:http"
import type { HoldfastError } from "../../protocol/error.ts"
import { normalPath, pathOf } from "./path.ts"

/** Whether a node should be sent clients. */
export interface Health {
  readonly ready: boolean
  /** Why not; empty when it is ready. */
  readonly reasons: readonly HealthReason[]
  /** Connections to the hub at this moment. */
  readonly connections: number
}

export interface HealthReason {
  readonly code: "draining" | "closed" | "log_unavailable"
  /** A sentence for people. */
  readonly message: string
}

/** Where a node says how it is. */
export interface HealthPaths {
  /** Answers 200 as long as the process does anything at all. Default: `/healthz`. */
  readonly alive?: string
  /** Answers 200 when the node should be sent clients, 503 when not, and says why. Default: `/readyz`. */
  readonly ready?: string
}

/** @param logFailure why the log cannot be reached. What it says may be nobody's business, so it is not told. */
export function healthOf(
  {
    closed,
    draining,
    logFailure,
  }: { closed: boolean; draining: boolean; logFailure: HoldfastError | undefined },
  connections: number,
): Health {
  const reasons: HealthReason[] = []
  if (closed) reasons.push({ code: "closed", message: "The hub is closed." })
  else if (draining) reasons.push({ code: "draining", message: "The node leads its clients to others." })
  if (logFailure !== undefined) {
    reasons.push({
      code: "log_unavailable",
      message: "The log cannot be reached; the server's log says why.",
    })
  }
  return { ready: reasons.length === 0, reasons, connections }
}

/** Returns false, and does nothing, when the request is for another address. */
export type HealthDoor = (request: IncomingMessage, response: ServerResponse, paths: HealthPaths) => boolean

export function createHealthDoor(health: () => Health): HealthDoor {
  return (request, response, { alive = "/healthz", ready = "/readyz" }) => {
    const asked = pathOf(request)
    if (asked === normalPath(alive)) answer(request, response, 200, { alive: true })
    else if (asked === normalPath(ready)) {
      const now = health()
      answer(request, response, now.ready ? 200 : 503, now)
    } else return false
    return true
  }
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  request.resume()
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD" })
    response.end()
    return
  }
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
  })
  response.end(request.method === "HEAD" ? undefined : text)
}
