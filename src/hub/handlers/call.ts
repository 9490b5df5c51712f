import type { CallDefinition, Schema } from "../../contract/index.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Call } from "../../protocol/message.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import { conform } from "../payload.ts"
import type { Clock } from "../ports/clock.ts"
import type { Target } from "../target.ts"
import { refuse } from "./answer.ts"
import { contextOf, guarded, handlerOf, targetOf } from "./authorize.ts"

/**
 * Answers a call with what its handler returns, or with an error; at the latest when its caller stops waiting. Resolves
 * when the handler is through with it, or has had the longest time that a call may take: whoever asks with short
 * deadlines must not get more handlers running than others do.
 */
export async function call(core: Core, connection: Connection, message: Call): Promise<void> {
  const { clock, limits } = core
  const ms = Math.min(message.timeoutMs, limits.callTimeoutMsMax)
  const running = run(core, connection, message)
  try {
    const data = await within(clock, ms, `the call "${message.name}"`, running)
    connection.send({ type: "result", id: message.id, data })
  } catch (error) {
    refuse(core, connection, message, error)
    await within(clock, limits.callTimeoutMsMax - ms, "its handler", running).catch(() => undefined)
  }
}

/** @throws HoldfastError `timeout`, and what `work` throws before */
async function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  let cancel = () => {}
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(new HoldfastError("timeout", `${what} took longer than ${ms} ms`)))
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    cancel()
  }
}

async function run(core: Core, connection: Connection, message: Call): Promise<unknown> {
  const target = targetOf(core, message.channel)
  const definition = declaredCall(target, message.name)
  const handler = handlerOf(core, target, "calls", message.name)
  const what = `call "${message.name}" of ${target.name}`
  const { messageBytesMax } = core.limits
  const input = await conform(what, definition.input, message.data)
  const context = { ...contextOf(core, connection, target), input, fail }
  const output = await guarded(core, what, () =>
    answerOf(definition, what, messageBytesMax, () => handler(context)),
  )
  return guarded(core, what, () => own(definition.output, what, output, messageBytesMax))
}

function declaredCall({ match }: Target, name: string): CallDefinition {
  const { calls } = match.definition
  if (calls !== undefined && Object.hasOwn(calls, name)) return calls[name] as CallDefinition
  throw new HoldfastError("unknown_name", `channel ${match.pattern} declares no call "${name}"`)
}

/** What `fail` throws, until the data was checked. */
class DeclaredFailure extends Error {
  readonly code: string
  readonly data: unknown

  constructor(code: string, data: unknown, message: string) {
    super(message)
    this.code = code
    this.data = data
  }
}

function fail(code: string, data: unknown, message?: string): never {
  throw new DeclaredFailure(code, data, message ?? code)
}

async function answerOf(
  { errors }: CallDefinition,
  what: string,
  bytesMax: number,
  run: () => unknown,
): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof DeclaredFailure)) throw error
    const schema = errors !== undefined && Object.hasOwn(errors, error.code) ? errors[error.code] : undefined
    if (schema === undefined) throw new TypeError(`${what} declares no error "${error.code}"`)
    const data = await own(schema, `${what}, error "${error.code}"`, error.data, bytesMax)
    throw new HoldfastError(error.code, error.message, { data })
  }
}

/** What the server's own code made has to fit too; if not, it is not the client's fault. */
async function own(schema: Schema, what: string, value: unknown, bytesMax: number): Promise<unknown> {
  try {
    const conforming = await conform(what, schema, value)
    const { byteLength } = encodeBody(conforming)
    if (byteLength > bytesMax) throw new RangeError(`${byteLength} bytes, the limit is ${bytesMax}`)
    return conforming
  } catch (error) {
    throw new TypeError(`${what}: what the handler returned does not fit: ${(error as Error).message}`)
  }
}
