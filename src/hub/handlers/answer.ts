import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Position } from "../../protocol/position.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import type { Append } from "../publish/publisher.ts"

interface Request {
  readonly id: number
  readonly channel: string
}

/**
 * Makes an entry ready in the order of its lane, hands it to the log, and answers when the log has it: so a client's
 * publishes keep their order, and none waits for the one before it to be acknowledged.
 */
export async function appendAndAnswer(
  core: Core,
  connection: Connection,
  request: Request,
  ready: () => Promise<Append>,
): Promise<void> {
  let appended: Promise<Position>
  try {
    const append = await ready()
    appended = append()
  } catch (error) {
    refuse(core, connection, request, error)
    return
  }
  connection.inbox.count(
    appended.then(
      (position) => connection.send({ type: "result", id: request.id, position }),
      (error: unknown) => refuse(core, connection, request, error),
    ),
  )
}

/** Tells the client why not. */
export function refuse(
  core: Core,
  connection: Connection,
  { id, channel }: { id?: number; channel: string },
  error: unknown,
): void {
  connection.fail(refusal(core, connection, channel, error), { id, channel })
}

/** What the client may know of an error. One that is none of ours is a defect of the server: logged, and hidden. */
export function refusal(
  core: Core,
  { id: connection }: Connection,
  channel: string,
  error: unknown,
): HoldfastError {
  if (error instanceof HoldfastError) return error
  core.logger.error("a message could not be served", { connection, channel, error })
  return new HoldfastError("handler_failed", errorCodes.handler_failed)
}
