import type { CallDefinition, Schema } from "../../contract/index.ts"
import { decodeBody, payloadIn } from "../../protocol/body.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Call } from "../../protocol/message.ts"
import type { Target } from "../channel/target.ts"
import type { Connection } from "../connection/connection.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { attempt, type Eventual, eventual, whenDone } from "../publish/eventual.ts"
import { bodyOf, validated } from "../publish/payload.ts"
import type { Answers } from "./answers.ts"
import type { Application } from "./application.ts"

export interface CallHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly clock: Clock
  readonly limits: Limits
}

/** Answers calls with what the application's handlers return, or with an error. */
export class CallHandler {
  readonly #ports: CallHandlerPorts

  constructor(ports: CallHandlerPorts) {
    this.#ports = ports
  }

  /**
   * Answers at the latest when the caller stops waiting. Is over when the handler is through with it, or has had the longest
   * time that a call may take: short deadlines must not get a client more handlers that run at the same time.
   */
  call(connection: Connection, message: Call): Eventual<void> {
    const answer = (body: Uint8Array) =>
      connection.send({ type: "result", id: message.id, data: payloadIn(body) })
    const refuse = (error: unknown) => this.#ports.answers.refuse(connection, message, error)
    return attempt(() => {
      const running = this.#run(connection, message)
      return running instanceof Promise ? this.#wait(message, running, answer, refuse) : answer(running)
    }, refuse)
  }

  async #wait(
    { name, timeoutMs }: Call,
    running: Promise<Uint8Array>,
    answer: (body: Uint8Array) => void,
    refuse: (error: unknown) => void,
  ): Promise<void> {
    const { clock, limits } = this.#ports
    const ms = Math.min(timeoutMs, limits.callTimeoutMsMax)
    try {
      answer(await within(clock, ms, `the call "${name}"`, running))
    } catch (error) {
      refuse(error)
      await within(clock, limits.callTimeoutMsMax - ms, "its handler", running).catch(() => undefined)
    }
  }

  #run(connection: Connection, { channel, name, data: sent }: Call): Eventual<Uint8Array> {
    const { application } = this.#ports
    const target = application.target(channel)
    const definition = declaredCall(target, name)
    const handler = application.handler(target, "calls", name)
    const what = `call "${name}" of ${target.name}`
    const handle = (input: unknown) => {
      const context = application.context(connection, target, { input, fail })
      return application.guarded(what, () =>
        this.#answered(definition, what, connection.codec, () => handler(context)),
      )
    }
    return whenDone(validated(what, definition.input, sent), handle)
  }

  #answered(
    { output, errors = {} }: CallDefinition,
    what: string,
    codec: CodecName,
    run: () => unknown,
  ): Eventual<Uint8Array> {
    const returned = attempt(
      () => eventual(run()),
      (error) => {
        if (!(error instanceof DeclaredFailure)) throw error
        const { code, data, message } = error
        const schema = Object.hasOwn(errors, code) ? errors[code] : undefined
        if (schema === undefined) throw new TypeError(`${what} declares no error "${code}"`)
        return whenDone(this.#own(schema, `${what}, error "${code}"`, data, codec), (body) => {
          throw new HoldfastError(code, message, { data: decodeBody(body) })
        })
      },
    )
    return whenDone(returned, (value) => this.#own(output, what, value, codec))
  }

  /** What the server's own code made has to fit too; if not, it is not the client's fault. */
  #own(schema: Schema, what: string, value: unknown, codec: CodecName): Eventual<Uint8Array> {
    const bytesMax = this.#ports.limits.messageBytesMax
    return attempt(
      () => bodyOf(what, schema, value, { bytesMax, codec }),
      (error) => {
        throw new TypeError(`${what}: what the handler returned does not fit: ${(error as Error).message}`)
      },
    )
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
