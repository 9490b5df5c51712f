import type { IncomingMessage } from "node:http"
import type { Logger } from "../../hub/ports/logger.ts"

/**
 * Which web pages may connect. `same-host`: those that came from the host that they connect to, on loopback from any port;
 * `any`; or a list such as `["https://app.example.com"]`. Who sends no `Origin` is no web page, and is let in always.
 */
export type Origins = "same-host" | "any" | readonly string[]

/** Undefined when the request is let in, otherwise the sentence that says why not. */
export type OriginCheck = (request: IncomingMessage) => string | undefined

/** How many origins are remembered as told of. */
const TOLD_MAX = 100

/** Checks origins, and tells the log of each that is refused once: a browser shows its page nothing but a failure. */
export function createOriginCheck(origins: Origins, logger: Logger): OriginCheck {
  const told = new Set<string>()
  return (request) => {
    const refusal = originRefusal(request, origins)
    const { origin = "" } = request.headers
    if (refusal !== undefined && !told.has(origin) && told.size < TOLD_MAX) {
      told.add(origin)
      logger.warn(refusal, { origin })
    }
    return refusal
  }
}

/** Undefined when the request is let in, otherwise the sentence that says why not. */
export function originRefusal(request: IncomingMessage, origins: Origins): string | undefined {
  const { origin, host } = request.headers
  if (origin === undefined || origins === "any") return undefined
  if (origins === "same-host") {
    if (host !== undefined && isSameHost(origin, host)) return undefined
    return `The origin ${printable(origin)} is another host than ${printable(host ?? "")}. The server's option "origins" can allow it.`
  }
  if (origins.includes(origin)) return undefined
  return `The origin ${printable(origin)} is not among those that the server's option "origins" allows.`
}

function isSameHost(origin: string, host: string): boolean {
  const page = parseUrl(origin)
  // Without the page's own scheme, a default port that one of them spells out would make a difference.
  const server = parseUrl(`${page?.protocol}//${host}`)
  if (page === undefined || server === undefined) return false
  if (page.host === server.host) return true
  // A page from a development server: same machine, other port.
  return isLoopback(page.hostname) && isLoopback(server.hostname)
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname)
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function printable(header: string): string {
  return JSON.stringify(header.slice(0, 200))
}
