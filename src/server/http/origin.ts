import type { Logger } from "../../hub/ports/logger.ts"

/**
 * Which web pages may connect. `same-host`: pages from the host that they connect to, on loopback from any port; `any`; or a
 * list such as `["https://app.example.com"]`. Requests without `Origin` do not come from a web page and are not checked.
 */
export type Origins = "same-host" | "any" | readonly string[]

/** The headers of a request that its origin is checked by. */
export interface OriginHeaders {
  readonly origin?: string | undefined
  readonly host?: string | undefined
}

/** Undefined when the request is allowed, otherwise the sentence that says why not. */
export type OriginCheck = (headers: OriginHeaders) => string | undefined

/** How many refused origins are logged. */
const LOGGED_MAX = 100

/** Checks origins, and logs each that is refused once: a browser shows its page nothing but a failure. */
export function createOriginCheck(origins: Origins, logger: Logger): OriginCheck {
  const logged = new Set<string>()
  return (headers) => {
    const refusal = originRefusal(headers, origins)
    const { origin = "" } = headers
    if (refusal !== undefined && !logged.has(origin) && logged.size < LOGGED_MAX) {
      logged.add(origin)
      logger.warn(refusal, { origin })
    }
    return refusal
  }
}

/** Undefined when the request is allowed, otherwise the sentence that says why not. */
export function originRefusal({ origin, host }: OriginHeaders, origins: Origins): string | undefined {
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
