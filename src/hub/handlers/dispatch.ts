import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { ClientMessage } from "../../protocol/message.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import { call } from "./call.ts"
import { hello, token } from "./hello.ts"
import { enter, leave } from "./presence.ts"
import { deleteState, publish, setState } from "./publish.ts"
import { signal } from "./signal.ts"
import { subscribe, unsubscribe } from "./subscribe.ts"

/** Takes one decoded message of `bytes` length through the checks to its handler. */
export function receive(core: Core, connection: Connection, decoded: unknown, bytes: number): void {
  connection.heard = true
  if (connection.state === "closed") return
  let message: ClientMessage
  try {
    const limit = core.limits.messageBytesMax
    if (bytes > limit)
      throw new HoldfastError("message_too_large", `${bytes} bytes, the limit is ${limit}`, { limit })
    message = parseClientMessage(decoded)
  } catch (error) {
    connection.fail(error as HoldfastError, { id: idOf(decoded) })
    return
  }
  if (connection.state === "open") dispatch(core, connection, message)
  else beforeOpen(core, connection, message)
}

/** Before a client was let in, only hello has a meaning. What follows it at once waits in the hello's lane. */
function beforeOpen(core: Core, connection: Connection, message: ClientMessage): void {
  if (message.type === "hello" && connection.state === "new") {
    connection.inbox.run(HELLO_LANE, () => hello(core, connection, message))
    return
  }
  if (connection.state === "authenticating") {
    connection.inbox.run(HELLO_LANE, () => {
      if (connection.state === "open") dispatch(core, connection, message)
    })
    return
  }
  connection.fail(new HoldfastError("hello_expected", `hello was expected, ${message.type} came`))
  connection.close("protocolError", "hello_expected")
}

/** No channel has an empty name. */
const HELLO_LANE = ""

type Handle<T extends ClientMessage["type"]> = (
  core: Core,
  connection: Connection,
  message: Extract<ClientMessage, { readonly type: T }>,
) => void | Promise<void>

/** Messages of one channel are handled in the order sent, channels independently of each other. */
const laneHandlers: { readonly [T in ClientMessage["type"]]?: Handle<T> } = {
  publish,
  set: setState,
  delete: deleteState,
  signal,
  subscribe,
  unsubscribe,
  enter,
  leave,
}

function dispatch(core: Core, connection: Connection, message: ClientMessage): void {
  const { inbox } = connection
  if (message.type === "pong") return
  if (message.type === "ping") {
    connection.send({ type: "pong" })
    return
  }
  if (message.type === "call") {
    inbox.runBeside(() => call(core, connection, message))
  } else if (message.type === "token") {
    inbox.run(HELLO_LANE, () => token(core, connection, message))
  } else if (message.type === "hello") {
    connection.fail(new HoldfastError("invalid_message", "hello came twice", { path: "type" }))
    connection.close("protocolError", "hello came twice")
  } else {
    const handle = laneHandlers[message.type] as Handle<ClientMessage["type"]>
    inbox.run(message.channel, () => handle(core, connection, message))
  }
}

/** The id of a message that is refused before it is understood, so that its sender's promise settles. */
function idOf(decoded: unknown): number | undefined {
  const id = (decoded as { id?: unknown } | null)?.id
  return Number.isSafeInteger(id) ? (id as number) : undefined
}
