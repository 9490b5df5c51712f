import type { HoldfastError } from "../../protocol/error.ts"
import { normalPath, pathOf } from "./address.ts"
import { type Answer, sendAnswer } from "./answer.ts"
import type { Exchange } from "./exchange.ts"

/** Whether a balancer should send clients to a node. */
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

/** The addresses at which a node reports its health. */
export interface HealthPaths {
  /** Answers 200 as long as the process does anything at all. Default: `/healthz`. */
  readonly alive?: string | undefined
  /** Answers 200 when a balancer should send clients to the node, otherwise 503 with the reasons. Default: `/readyz`. */
  readonly ready?: string | undefined
}

/** @param logFailure why the log cannot be reached. It may name internal addresses, so it is not sent. */
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

/** Answers a request for one of `paths`. Returns false, and does nothing, when it is for another address. */
export type HealthHandler = (exchange: Exchange<unknown>, paths: HealthPaths) => boolean

export function createHealthHandler(health: () => Health): HealthHandler {
  return ({ request, response }, { alive = "/healthz", ready = "/readyz" }) => {
    const asked = pathOf(request.url)
    let answer: Answer
    if (asked === normalPath(alive)) answer = reportOf(200, { alive: true })
    else if (asked === normalPath(ready)) {
      const now = health()
      answer = reportOf(now.ready ? 200 : 503, now)
    } else return false
    const reads = request.method === "GET" || request.method === "HEAD"
    sendAnswer(response, reads ? answer : { status: 405, headers: { Allow: "GET, HEAD" } }, request.method)
    return true
  }
}

function reportOf(status: number, report: object): Answer {
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" }
  return { status, headers, body: `${JSON.stringify(report)}\n` }
}
