import type { Contract } from "../../contract/index.ts"
import { encodeBody } from "../../protocol/body.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Target } from "../channel/target.ts"
import type { Connection } from "../connection/connection.ts"
import type { Logger } from "../ports/logger.ts"
import { attempt, type Eventual, eventual } from "../publish/eventual.ts"
import type { HandlerRun } from "./handler-deadline.ts"

/** A handler as the hub calls it: the types that the contract gives it end where the wire begins. */
export type Handler = (context: object) => unknown

/** `ChannelHandlers`, untyped. */
export interface Handlers {
  readonly subscribe?: true | Handler
  readonly presence?: Handler
  readonly snapshot?: Handler
  readonly events?: Readonly<Record<string, Handler>>
  readonly state?: Readonly<Record<string, Handler>>
  readonly delete?: Readonly<Record<string, Handler>>
  readonly signals?: Readonly<Record<string, Handler>>
  readonly calls?: Readonly<Record<string, Handler>>
}

type NamedFacet = "events" | "state" | "delete" | "signals" | "calls"

export interface ApplicationPorts {
  readonly contract: Contract
  /** By channel pattern. */
  readonly handlers: Readonly<Record<string, Handlers>>
  /** A channel as the server's own code uses it; in a handler, as long as its run is not late. */
  readonly handleOf: (target: Target, run?: HandlerRun) => unknown
  readonly logger: Logger
}

/** The application: its contract, and its own code behind it. */
export class Application {
  readonly #ports: ApplicationPorts

  constructor(ports: ApplicationPorts) {
    this.#ports = ports
  }

  /** @throws HoldfastError `unknown_channel` */
  target(name: string): Target {
    const match = this.#ports.contract.match(name)
    if (match === undefined) {
      throw new HoldfastError("unknown_channel", `no channel of the contract matches "${name.slice(0, 80)}"`)
    }
    return { name, match }
  }

  handlers({ match }: Target): Handlers {
    return this.#ports.handlers[match.pattern] ?? {}
  }

  /**
   * The handler that lets clients do this.
   * @throws HoldfastError `not_allowed` when the server has none
   */
  handler(target: Target, facet: NamedFacet, name: string): Handler {
    const handlers = this.handlers(target)[facet]
    const handler = handlers !== undefined && Object.hasOwn(handlers, name) ? handlers[name] : undefined
    if (handler === undefined)
      throw new HoldfastError(
        "not_allowed",
        `clients may not use ${facet} "${name}" of ${target.match.pattern}: the server names no handler`,
      )
    return handler
  }

  /** What each handler is given, beside what was `asked` for. */
  context({ user, member, id }: Connection, target: Target, run: HandlerRun, asked?: object) {
    const { handleOf } = this.#ports
    let channel: unknown
    return {
      user,
      params: target.match.params,
      member,
      connection: id,
      ...asked,
      // only when a handler asks for it, as few do
      get channel() {
        channel ??= handleOf(target, run)
        return channel
      },
    }
  }

  /** What the server's loader of the channel returns, still to be validated. */
  load(target: Target, run: HandlerRun): unknown {
    return this.handlers(target).snapshot?.({
      params: target.match.params,
      channel: this.#ports.handleOf(target, run),
    })
  }

  /**
   * Runs the application's code. What it throws on purpose reaches the client, if it can travel; anything else is logged and
   * hidden.
   */
  guarded<T>(what: string, run: () => T | PromiseLike<T>): Eventual<T> {
    return attempt(
      () => eventual(run()),
      (error) => {
        if (error instanceof HoldfastError && canTravel(error)) throw error
        this.#ports.logger.error(`${what}: the handler failed`, { error })
        throw new HoldfastError("handler_failed", errorCodes.handler_failed)
      },
    )
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
