import type { IncomingMessage, ServerResponse } from "node:http"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Clock } from "../../hub/ports/clock.ts"
import type { Entropy } from "../../hub/ports/entropy.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { Logger } from "../../hub/ports/logger.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Hello } from "../../protocol/message.ts"
import type { OriginCheck } from "../http/origin.ts"
import { pathOf } from "../http/path.ts"
import type { ServerLimits } from "../limits.ts"
import type { Links } from "../websocket/links.ts"
import { allowOrigin, answerPreflight } from "./cross-origin.ts"
import { EventsLink } from "./events-link.ts"
import { helloOf } from "./greeting.ts"
import type { HttpLink } from "./http-link.ts"
import { PollLink } from "./poll-link.ts"
import { answerProblem } from "./problem.ts"
import { queryOf, subscriptionsOf } from "./query.ts"
import { Reply } from "./reply.ts"
import { readBody } from "./request-body.ts"
import { SendLink } from "./send-link.ts"
import { messagesOf } from "./upward.ts"

export interface RequestDoorOptions {
  readonly connect: (link: Link, request: IncomingMessage) => HubConnection
  readonly links: Links
  readonly logger: Logger
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly entropy: Entropy
  readonly originRefusal: OriginCheck
  /** Whether pages of other origins, those that are allowed, may come with cookies. */
  readonly credentials: boolean
}

/** Answers a request to one of the hub's addresses below `path`. Returns false, and does nothing, when it is none. */
export type RequestDoor = (request: IncomingMessage, response: ServerResponse, path: string) => boolean

interface Address {
  readonly methods: readonly string[]
  /** @throws HoldfastError that the request is refused with */
  readonly serve: (
    options: RequestDoorOptions,
    request: IncomingMessage,
    response: ServerResponse,
  ) => void | Promise<void>
}

const addresses: ReadonlyMap<string, Address> = new Map<string, Address>([
  ["events", { methods: ["GET", "POST"], serve: serveEvents }],
  ["poll", { methods: ["POST"], serve: servePoll }],
  ["send", { methods: ["POST"], serve: serveSend }],
])

/** Takes the requests that speak Holdfast's protocol over plain HTTP. */
export function createRequestDoor(options: RequestDoorOptions): RequestDoor {
  return (request, response, path) => {
    const asked = pathOf(request)
    const base = path === "/" ? "/" : `${path}/`
    const address = asked.startsWith(base) ? addresses.get(asked.slice(base.length)) : undefined
    if (address === undefined) return false
    void answer(options, address, request, response)
    return true
  }
}

async function answer(
  options: RequestDoorOptions,
  { methods, serve }: Address,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const allowed = [...methods, "OPTIONS"].join(", ")
  try {
    const refusal = options.originRefusal(request)
    if (refusal !== undefined) throw new HoldfastError("not_allowed", refusal)
    allowOrigin(request, response, options.credentials)
    if (request.method === "OPTIONS") return answerPreflight(response, allowed)
    if (!methods.includes(request.method ?? "")) {
      throw new HoldfastError("method_not_allowed", `This address takes ${allowed}, not ${request.method}.`)
    }
    await serve(options, request, response)
  } catch (error) {
    refuse(options.logger, request, response, error, allowed)
  }
}

function refuse(
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  allowed: string,
): void {
  if (error instanceof HoldfastError) {
    const headers = error.code === "method_not_allowed" ? { Allow: allowed } : {}
    answerProblem(request, response, error, { headers })
    return
  }
  // the peer went while its request was read
  if (response.destroyed) return
  logger.error("a request failed", { error })
  answerProblem(request, response, { code: "handler_failed", message: errorCodes.handler_failed })
}

async function serveEvents(
  options: RequestDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { limits, entropy } = options
  const lastEventId = request.headers["last-event-id"]
  let asked: Parameters<typeof helloOf>[1]
  if (request.method === "GET") {
    const query = queryOf(request)
    const subscriptions = subscriptionsOf(query, typeof lastEventId === "string" ? lastEventId : undefined)
    asked = { token: query.get("token"), session: query.get("session"), subscriptions }
  } else {
    asked = (await readBody(request, limits.requestBytesMax)).value
  }
  // who only reads needs no name
  const session = asked.session ?? entropy.uniqueId()
  const hello = helloOf(request, { ...asked, session }, limits.channelsPerRequestMax)
  const reply = replyTo(options, request, response)
  // a client that speaks the protocol is told of refusals as it is on a WebSocket
  const link = new EventsLink(reply, request.method === "GET" ? hello.subscriptions.length : 0)
  converse(options, request, reply, link, hello)
}

async function servePoll(
  options: RequestDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { limits, clock } = options
  const { value } = await readBody(request, limits.requestBytesMax)
  const hello = helloOf(request, value, limits.channelsPerRequestMax)
  // who hears nothing for two heartbeats takes the line for dead
  const pollWaitMsMax = Math.min(limits.pollWaitMsMax, limits.heartbeatMs)
  const waitMs = waitOf(value.waitMs, pollWaitMsMax)
  const reply = replyTo(options, request, response)
  const link = new PollLink(reply, hello.subscriptions, { ...limits, pollWaitMsMax, clock, waitMs })
  converse(options, request, reply, link, hello)
}

async function serveSend(
  options: RequestDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { limits } = options
  const { value, bytes } = await readBody(request, limits.requestBytesMax)
  const hello = helloOf(request, { ...value, subscriptions: [] }, limits.channelsPerRequestMax)
  const messages = messagesOf(value.messages, limits.messagesPerRequestMax)
  const reply = replyTo(options, request, response)
  const link = new SendLink(reply, messages, { ...limits, bytes })
  converse(options, request, reply, link, hello)
}

function waitOf(asked: unknown, max: number): number {
  if (asked === undefined) return max
  if (typeof asked !== "number" || !(asked >= 0)) {
    throw new HoldfastError("invalid_message", '"waitMs" has to be a number from 0.', { path: "waitMs" })
  }
  return Math.min(asked, max)
}

function replyTo(
  { clock, limits }: RequestDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Reply {
  const lingerMs = 2 * limits.heartbeatMs
  return new Reply(request, response, { clock, highWaterBytes: limits.highWaterBytes, lingerMs })
}

/** Leads the request through the hub as the short connection that it is. */
function converse(
  { connect, links }: RequestDoorOptions,
  request: IncomingMessage,
  reply: Reply,
  link: HttpLink,
  hello: Hello,
): void {
  const { refusal } = links
  if (refusal !== undefined) throw refusal
  // it has gone meanwhile, and nothing would tell
  if (!reply.isOpen) return
  const connection = connect(link, request)
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
