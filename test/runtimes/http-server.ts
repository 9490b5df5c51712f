// The hub's plain HTTP on a runtime that has a server for the Fetch standard: Bun, or Deno. It prints its port, and ends
// with its standard input. All that is not the hub's own is here and in web-exchange.ts.
import { createHash, randomUUID } from "node:crypto"
import { createHubCore, memoryLog } from "holdfast/testing"
import { defaultLimits } from "../../src/hub/limits.ts"
import type { Clock } from "../../src/hub/ports/clock.ts"
import type { Entropy } from "../../src/hub/ports/entropy.ts"
import { createHttpHandler } from "../../src/server/http/http-handler.ts"
import { createOriginCheck } from "../../src/server/http/origin.ts"
import { defaultServerLimits } from "../../src/server/limits.ts"
import { Links } from "../../src/server/links.ts"
import { consoleLogger } from "../../src/server/logger.ts"
import { fetchExchange } from "../support/web-exchange.ts"
import { app, options, type User } from "./app.ts"

type Fetch = (request: Request) => Response | Promise<Response>

declare const Bun:
  | { serve(options: { port: number; hostname: string; fetch: Fetch }): { readonly port: number } }
  | undefined
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    fetch: Fetch,
  ): { readonly addr: { readonly port: number } }
}

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => void setTimeout(task, 0),
}
const entropy: Entropy = {
  random: () => Math.random(),
  uniqueId: () => randomUUID(),
  digest: (text) => createHash("sha256").update(text).digest("base64url").slice(0, 22),
}
const limits = { ...defaultLimits, ...defaultServerLimits }

const hub = createHubCore<typeof app, User, Request>(app, options, { clock, entropy, log: memoryLog() })
const handle = createHttpHandler<Request>({
  clock,
  entropy,
  limits,
  logger: consoleLogger,
  links: new Links(limits.connectionsMax, consoleLogger),
  connect: hub.connect,
  originRefusal: createOriginCheck("same-host", consoleLogger),
  credentials: true,
})

const answer: Fetch = (request) =>
  fetchExchange(request, limits.highWaterBytes, (exchange) => handle(exchange, "/holdfast")) ??
  new Response("Nothing is here.", { status: 404 })

const where = { port: 0, hostname: "127.0.0.1" }
const port =
  typeof Bun === "undefined"
    ? Deno.serve({ ...where, onListen: () => undefined }, answer).addr.port
    : Bun.serve({ ...where, fetch: answer }).port
console.log(`port ${port}`)
process.stdin.on("end", () => process.exit(0)).resume()
