import type { SendSignal } from "../../protocol/message.ts"
import type { Connection } from "../connection/connection.ts"
import type { Endings } from "../connection/endings.ts"
import { attempt, type Eventual, whenDone } from "../publish/eventual.ts"
import { inputSchema, payloadOf, validated } from "../publish/payload.ts"
import type { Signals } from "../publish/signals.ts"
import type { Answers } from "./answers.ts"
import type { Application } from "./application.ts"
import { checkInTime, type HandlerDeadline, type HandlerRun } from "./handler-deadline.ts"

export interface SignalHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly deadline: HandlerDeadline
  readonly endings: Endings
  readonly signals: Signals
}

/** Passes on what clients signal, as the application's handlers let them. */
export class SignalHandler {
  readonly #ports: SignalHandlerPorts

  constructor(ports: SignalHandlerPorts) {
    this.#ports = ports
  }

  signal(connection: Connection, message: SendSignal): Eventual<void> {
    const { answers, deadline } = this.#ports
    const { channel } = message
    return attempt(
      () => deadline.run(`signal on ${channel}`, (run) => this.#send(connection, message, run)),
      (error) => answers.refuse(connection, { channel }, error),
    )
  }

  #send(connection: Connection, { channel, name, data: sent }: SendSignal, run: HandlerRun): Eventual<void> {
    const { application, endings, signals } = this.#ports
    const target = application.target(channel)
    const payload = payloadOf(target, "signals", name)
    const handler = application.handler(target, "signals", name)
    const what = `signal "${name}" of ${target.name}`
    const handle = (data: unknown) =>
      application.guarded(what, () => handler(application.context(connection, target, run, { data })))
    const returned = whenDone(validated(what, inputSchema(payload), sent), handle)
    return whenDone(returned, (value) => {
      checkInTime(run)
      endings.check(connection)
      return signals.send(target, name, value, connection)
    })
  }
}
