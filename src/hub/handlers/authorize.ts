import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core, Handler, Handlers } from "../core.ts"
import type { Target } from "../target.ts"

/** @throws HoldfastError `unknown_channel` */
export function targetOf(core: Core, name: string): Target {
  const match = core.contract.match(name)
  if (match === undefined)
    throw new HoldfastError("unknown_channel", `no channel of the contract matches "${name.slice(0, 80)}"`)
  return { name, match }
}

type NamedFacet = "events" | "state" | "delete" | "signals" | "calls"

/**
 * The handler that lets clients do this.
 * @throws HoldfastError `not_allowed` when the server has none
 */
export function handlerOf(core: Core, target: Target, facet: NamedFacet, name: string): Handler {
  const handlers = handlersOf(core, target)[facet]
  const handler = handlers !== undefined && Object.hasOwn(handlers, name) ? handlers[name] : undefined
  if (handler === undefined)
    throw new HoldfastError(
      "not_allowed",
      `clients may not use ${facet} "${name}" of ${target.match.pattern}: the server names no handler`,
    )
  return handler
}

export function handlersOf(core: Core, { match }: Target): Handlers {
  return core.handlers[match.pattern] ?? {}
}

/** What each handler is given. */
export function contextOf(core: Core, connection: Connection, target: Target) {
  return {
    user: connection.user,
    params: target.match.params,
    channel: core.handle(target),
    member: connection.member,
    connection: connection.id,
  }
}

/**
 * Runs the server's own code. What it throws on purpose reaches the client, if it can travel; anything else is logged and
 * hidden.
 */
export async function guarded<T>(core: Core, what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof HoldfastError && canTravel(error)) throw error
    core.logger.error(`${what}: the handler failed`, { error })
    throw new HoldfastError("handler_failed", errorCodes.handler_failed)
  }
}

function canTravel({ code, message, path, limit, data }: HoldfastError): boolean {
  try {
    encodeBody({ code, message, path, limit, data })
    return true
  } catch {
    return false
  }
}
