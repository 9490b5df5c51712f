import type { CallDefinition, Schema } from "../../contract/index.ts"
import { decodeBody, payloadIn } from "../../protocol/body.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Call } from "../../protocol/message.ts"
import type { Target } from "../channel/target.ts"
import type { Connection } from "../connection/connection.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import { attempt, type Eventual, eventual, whenDone } from "../publish/eventual.ts"
import { bodyOf, validated } from "../publish/payload.ts"
import type { Answers } from "./answers.ts"
import type { Application } from "./application.ts"
import { type HandlerRun, within } from "./handler-deadline.ts"

export interface CallHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
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
      const run: HandlerRun = { isLate: false }
      const running = this.#run(connection, message, run)
      return running instanceof Promise ? this.#wait(message, run, running, answer, refuse) : answer(running)
    }, refuse)
  }

  async #wait(
    { channel, name, timeoutMs }: Call,
    run: HandlerRun,
    running: Promise<Uint8Array>,
    answer: (body: Uint8Array) => void,
    refuse: (error: unknown) => void,
  ): Promise<void> {
    const { clock, limits, logger } = this.#ports
    const { callTimeoutMsMax } = limits
    const ms = Math.min(timeoutMs, callTimeoutMsMax)
    try {
      const handleLate = () => {
        run.isLate = true
        return new HoldfastError("timeout", `the call "${name}" took longer than ${ms} ms`)
      }
      answer(await within(clock, ms, running, handleLate))
    } catch (error) {
      refuse(error)
      if (!run.isLate) return
      const handleEndless = () => {
        const what = `call "${name}" of ${channel}`
        logger.error(`${what}: the handler has not finished within ${callTimeoutMsMax} ms`, {
          callTimeoutMsMax,
        })
        return new HoldfastError("timeout")
      }
      await within(clock, callTimeoutMsMax - ms, running, handleEndless).catch(() => undefined)
    }
  }

  #run(connection: Connection, { channel, name, data: sent }: Call, run: HandlerRun): Eventual<Uint8Array> {
    const { application } = this.#ports
    const target = application.target(channel)
    const definition = declaredCall(target, name)
    const handler = application.handler(target, "calls", name)
    const what = `call "${name}" of ${target.name}`
    const handle = (input: unknown) => {
      const context = application.context(connection, target, run, { input, fail })
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
