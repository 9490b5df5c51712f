import type { Payload } from "../../contract/index.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Leave, PresenceRequest } from "../../protocol/message.ts"
import { decodeBody, encodeBody } from "../../protocol/msgpack.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core, Handler } from "../core.ts"
import { conform, inputSchema, outputSchema } from "../payload.ts"
import { isPassing } from "../presence/members.ts"
import type { Target } from "../target.ts"
import { refusal, refuse } from "./answer.ts"
import { contextOf, guarded, handlersOf, targetOf } from "./authorize.ts"

/** What a hello carries has no id, and is answered only if it is refused. */
type EnterRequest = PresenceRequest & { readonly id?: number }

export async function enter(core: Core, connection: Connection, message: EnterRequest): Promise<void> {
  const { channel, version, id } = message
  const before = connection.entered?.get(channel)
  try {
    const target = targetOf(core, channel)
    const [payload, handler] = declaredPresence(core, target)
    await core.members.check(channel, connection, version)
    begin(core, connection, channel, encodeBody(message.data))
    const data = await admitted(core, connection, target, payload, handler, message.data)
    await core.members.enter(channel, connection, data, version)
    if (id !== undefined) connection.send({ type: "result", id })
  } catch (error) {
    const current = core.members.versionOf(channel, connection)
    if (id !== undefined) refuse(core, connection, { id, channel }, error)
    else if (current !== version) sendRemoved(core, connection, channel, error)
    // otherwise it is entered as soon as the log takes it
    if (current !== version && before !== undefined) connection.entered?.set(channel, before)
    else if (current === undefined) connection.entered?.delete(channel)
  }
}

export async function leave(core: Core, connection: Connection, message: Leave): Promise<void> {
  const { channel, version, id } = message
  try {
    const target = targetOf(core, channel)
    if (target.match.definition.presence !== undefined) await core.members.leave(channel, connection, version)
    connection.entered?.delete(channel)
    connection.send({ type: "result", id })
  } catch (error) {
    refuse(core, connection, message, error)
  }
}

/** Asks again whether the client may be present, with the data that it entered with, and removes it if not. */
export async function reauthorizePresence(
  core: Core,
  connection: Connection,
  channel: string,
): Promise<void> {
  const input = connection.entered?.get(channel)
  if (input === undefined) return
  try {
    const target = targetOf(core, channel)
    const [payload, handler] = declaredPresence(core, target)
    const data = await admitted(core, connection, target, payload, handler, decodeBody(input))
    const version = core.members.versionOf(channel, connection)
    if (version !== undefined) await core.members.enter(channel, connection, data, version + 1)
  } catch (error) {
    // it is as it was, or as it should be soon
    if (isPassing(error)) return
    endPresence(core, connection, channel, error)
  }
}

/** The client may not be present any more. */
export function endPresence(core: Core, connection: Connection, channel: string, error: unknown): void {
  if (connection.entered?.delete(channel) !== true) return
  core.members.remove(channel, connection.member, connection.id)
  sendRemoved(core, connection, channel, error)
}

/** @throws HoldfastError `unknown_name`, `not_allowed` */
function declaredPresence(core: Core, target: Target): [Payload, Handler] {
  const { pattern, definition } = target.match
  if (definition.presence === undefined)
    throw new HoldfastError("unknown_name", `channel ${pattern} declares no presence`)
  const handler = handlersOf(core, target).presence
  if (handler === undefined)
    throw new HoldfastError("not_allowed", `clients may not enter the presence of ${pattern}`)
  return [definition.presence, handler]
}

/** What others see of the client, as the handler has it. */
async function admitted(
  core: Core,
  connection: Connection,
  target: Target,
  payload: Payload,
  handler: Handler,
  input: unknown,
): Promise<Uint8Array> {
  const what = `presence of ${target.name}`
  const data = await conform(what, inputSchema(payload), input)
  const value = await guarded(core, what, () => handler({ ...contextOf(core, connection, target), data }))
  return core.publisher.encode(what, outputSchema(payload), value)
}

/** What is held for a connection has to have an end, and it may enter what it has not subscribed to. */
function begin(core: Core, connection: Connection, channel: string, input: Uint8Array): void {
  const limit = core.limits.subscriptionsPerConnectionMax
  connection.entered ??= new Map()
  if (connection.entered.size >= limit && !connection.entered.has(channel)) {
    const text = `a connection may be present in ${limit} channels`
    throw new HoldfastError("too_many_subscriptions", text, { limit })
  }
  connection.entered.set(channel, input)
}

function sendRemoved(core: Core, connection: Connection, channel: string, error: unknown): void {
  const { code, message, version } = refusal(core, connection, channel, error)
  connection.send({ type: "removed", channel, code, message, ...(version !== undefined && { version }) })
}
