import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Hello, Token } from "../../protocol/message.ts"
import type { Connection } from "../connection.ts"
import type { Core } from "../core.ts"
import { subscribe } from "./subscribe.ts"

/** Lets the client in, or not; then serves every subscription that it brings along. */
export async function hello(core: Core, connection: Connection, message: Hello): Promise<void> {
  connection.state = "authenticating"
  connection.inbox.hold()
  try {
    await authenticate(core, connection, message.token)
  } catch (error) {
    refuse(core, connection, error)
    return
  } finally {
    connection.request = undefined
    connection.inbox.release()
  }
  // the connection may have gone while the server made up its mind
  if ((connection.state as Connection["state"]) === "closed") return
  connection.state = "open"
  connection.member = core.entropy.digest(message.session)
  core.connections.opened(connection)
  const { id, member } = connection
  const { heartbeatMs, messageBytesMax, idempotencyWindowMs } = core.limits
  connection.send({
    type: "welcome",
    connection: id,
    member,
    heartbeatMs,
    messageBytesMax,
    idempotencyWindowMs,
    ...expiryOf(core, connection),
  })
  for (const request of message.subscriptions) {
    connection.inbox.run(request.channel, () => subscribe(core, connection, request))
  }
}

/** Replaces the token before it expires. The user stays who it was when the server says so. */
export async function token(core: Core, connection: Connection, message: Token): Promise<void> {
  try {
    await authenticate(core, connection, message.token)
    connection.send({ type: "token", ...expiryOf(core, connection) })
  } catch (error) {
    refuse(core, connection, error)
  }
}

function expiryOf(
  core: Core,
  { expiresAt }: Connection,
): { readonly expiresAt?: number; readonly now: number } {
  const now = core.clock.now()
  return Number.isFinite(expiresAt) ? { expiresAt, now } : { now }
}

async function authenticate(
  core: Core,
  connection: Connection,
  credential: string | undefined,
): Promise<void> {
  if (core.authenticate === undefined) return
  const user = await core.authenticate({ token: credential, request: connection.request })
  connection.user = user
  const expiresAt = (user as { expiresAt?: unknown } | null | undefined)?.expiresAt
  connection.expiresAt = typeof expiresAt === "number" ? expiresAt : Number.POSITIVE_INFINITY
}

function refuse(core: Core, connection: Connection, error: unknown): void {
  const told =
    error instanceof HoldfastError ? error : new HoldfastError("unauthorized", errorCodes.unauthorized)
  if (told !== error) core.logger.warn("a connection was refused", { connection: connection.id, error })
  connection.fail(told)
  connection.close("unauthorized", told.code)
}
