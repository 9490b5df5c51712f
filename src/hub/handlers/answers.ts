import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Position } from "../../protocol/position.ts"
import type { Connection } from "../connection/connection.ts"
import type { Endings } from "../connection/endings.ts"
import type { Logger } from "../ports/logger.ts"
import { attempt, type Eventual, whenDone } from "../publish/eventual.ts"
import type { Append } from "../publish/publisher.ts"
import type { HandlerDeadline, HandlerRun } from "./handler-deadline.ts"

/** What is answered: a message without an id gets an answer only when it is refused. */
interface Asked {
  readonly id?: number
  readonly channel: string
}

export interface AnswersPorts {
  readonly logger: Logger
  readonly deadline: HandlerDeadline
  readonly endings: Endings
}

/** Answers what clients ask for. */
export class Answers {
  readonly #ports: AnswersPorts

  constructor(ports: AnswersPorts) {
    this.#ports = ports
  }

  /**
   * Makes an entry ready in the order of its queue, hands it to the log, and answers when the log has it: so a client's
   * publishes keep their order, and none waits for the one before it to be acknowledged.
   */
  append(
    connection: Connection,
    asked: Asked & { readonly id: number },
    ready: (run: HandlerRun) => Eventual<Append>,
  ): Eventual<void> {
    const { deadline, endings } = this.#ports
    const what = `publish on ${asked.channel}`
    return attempt(
      () =>
        whenDone(deadline.run(what, ready), (append) => {
          endings.check(connection)
          this.#acknowledge(connection, asked, append())
        }),
      (error) => this.refuse(connection, asked, error),
    )
  }

  /** Sends the client an error that says why not. */
  refuse(connection: Connection, { id, channel }: Asked, error: unknown): void {
    connection.fail(this.refusal(connection, channel, error), { id, channel })
  }

  /** What the client may know of an error. One that is none of ours is a defect of the server: logged, and hidden. */
  refusal({ id }: Connection, channel: string, error: unknown): HoldfastError {
    if (error instanceof HoldfastError) return error
    this.#ports.logger.error("a message could not be served", { connection: id, channel, error })
    return new HoldfastError("handler_failed", errorCodes.handler_failed)
  }

  #acknowledge(
    connection: Connection,
    asked: Asked & { readonly id: number },
    appended: Promise<Position>,
  ): void {
    connection.inbox.count(
      appended.then(
        (position) => connection.send({ type: "result", id: asked.id, position }),
        (error: unknown) => this.refuse(connection, asked, error),
      ),
    )
  }
}
