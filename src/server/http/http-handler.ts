import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { Logger } from "../../hub/ports/logger.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Links } from "../links.ts"
import { pathOf } from "./address.ts"
import { corsHeaders, preflightHeaders } from "./cors.ts"
import { eventsRoute } from "./events/events-route.ts"
import type { Exchange, HttpRequest } from "./exchange.ts"
import type { OriginCheck } from "./origin.ts"
import { pollRoute } from "./poll/poll-route.ts"
import { Reply } from "./reply.ts"
import type { Route, RoutePorts, ShortConnection } from "./route.ts"
import { sendRoute } from "./send/send-route.ts"

export interface HttpHandlerOptions<Native> extends RoutePorts {
  readonly connect: (link: Link, request: Native) => HubConnection
  readonly links: Links
  readonly logger: Logger
  readonly originRefusal: OriginCheck
  /** Whether pages of other origins that are allowed may send cookies. */
  readonly credentials: boolean
}

/** Answers a request to one of the hub's addresses below `path`. Returns false, and does nothing, when it is none. */
export type HttpHandler<Native> = (exchange: Exchange<Native>, path: string) => boolean

const routes: ReadonlyMap<string, Route> = new Map([
  ["events", eventsRoute],
  ["poll", pollRoute],
  ["send", sendRoute],
])

/** Takes the requests that speak Holdfast's protocol over plain HTTP. */
export function createHttpHandler<Native>(options: HttpHandlerOptions<Native>): HttpHandler<Native> {
  return (exchange, path) => {
    const asked = pathOf(exchange.request.url)
    const base = path === "/" ? "/" : `${path}/`
    const route = asked.startsWith(base) ? routes.get(asked.slice(base.length)) : undefined
    if (route === undefined) return false
    void answer(options, route, exchange)
    return true
  }
}

async function answer<Native>(
  options: HttpHandlerOptions<Native>,
  route: Route,
  { request, response, native }: Exchange<Native>,
): Promise<void> {
  const { clock, limits } = options
  const reply = new Reply(response, { clock, lingerMs: 2 * limits.heartbeatMs })
  const methods = [...route.methods, "OPTIONS"].join(", ")
  try {
    checkOrigin(options, request, reply)
    if (request.method === "OPTIONS") {
      reply.answer({ status: 204, headers: preflightHeaders(methods) })
      return
    }
    if (!route.methods.includes(request.method)) {
      throw new HoldfastError("method_not_allowed", `This address takes ${methods}, not ${request.method}.`)
    }
    connect(options, await route.read(request, options), reply, native)
  } catch (error) {
    refuse(options.logger, reply, error, methods)
  }
}

/** @throws HoldfastError `not_allowed` */
function checkOrigin<Native>(
  { originRefusal, credentials }: HttpHandlerOptions<Native>,
  { headers }: HttpRequest,
  reply: Reply,
): void {
  const origin = headers.get("origin")
  const refusal = originRefusal({ origin: origin ?? undefined, host: headers.get("host") ?? undefined })
  if (refusal !== undefined) throw new HoldfastError("not_allowed", refusal)
  reply.addHeaders(corsHeaders(origin, credentials))
}

/** @throws HoldfastError when the hub takes no more connections */
function connect<Native>(
  { connect: connectLink, links }: HttpHandlerOptions<Native>,
  { hello, link: linkTo }: ShortConnection,
  reply: Reply,
  native: Native,
): void {
  const { refusal } = links
  if (refusal !== undefined) throw refusal
  // The peer left while its request was read: `handleGone` would never come.
  if (!reply.isOpen) return
  const link = linkTo(reply)
  const connection = connectLink(link, native)
  links.add(link)
  reply.open({
    handleDrain: () => link.handleDrain(),
    handleGone: () => {
      links.delete(link)
      link.handleGone()
    },
  })
  link.open(connection)
  connection.handleMessage(hello, 0)
}

function refuse(logger: Logger, reply: Reply, error: unknown, methods: string): void {
  if (error instanceof HoldfastError) {
    reply.refuse(error, error.code === "method_not_allowed" ? { headers: { Allow: methods } } : {})
    return
  }
  // The peer left while its request was read.
  if (!reply.isOpen) return
  logger.error("a request failed", { error })
  reply.refuse({ code: "handler_failed", message: errorCodes.handler_failed })
}
