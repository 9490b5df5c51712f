import type {
  Accepted,
  CallErrors,
  CallInput,
  CallOutput,
  Calls,
  ChannelDefinition,
  Contract,
  Definitions,
  Events,
  Loaded,
  Params,
  Presence,
  Published,
  Schema,
  SchemaInput,
  SchemaOutput,
  Signals,
  States,
} from "../../contract/index.ts"
import type { Log } from "../../log/log.ts"
import type { GivenLimits, Limits } from "../limits.ts"
import type { ChannelHandle } from "./channel-handle.ts"

type MaybePromise<T> = T | Promise<T>

/** A function of the application. Undefined is as if it were left out. */
type Handler<Given, Returned> = ((given: Given) => MaybePromise<Returned>) | undefined

/** What a hub is made of, beside the contract. */
export interface HubOptions<C extends Contract, User, Request = unknown> {
  /**
   * Who is there. Called with the token of a connection's first message; what it returns is `user` in every handler. If
   * it has a number `expiresAt` (ms since 1970), the connection has to bring a fresh token before then, of a user with the
   * same `id`, and what it has subscribed to is authorized anew. Throwing refuses the connection. Without it everybody is
   * let in, and `user` is undefined.
   */
  readonly authenticate?: ((credentials: Credentials<Request>) => MaybePromise<User>) | undefined
  /** What clients may do, by channel pattern. What is not named here is refused. */
  readonly channels?:
    | {
        readonly [P in keyof Definitions<C> & string]?:
          | ChannelHandlers<Definitions<C>[P], P, User>
          | undefined
      }
    | undefined
  /** Where channels are kept. Default: in memory. */
  readonly log?: Log | undefined
  readonly limits?: GivenLimits<Limits> | undefined
  readonly logger?: Logger | undefined
}

export interface Credentials<Request> {
  readonly token: string | undefined
  /** The HTTP request that the connection began with. */
  readonly request: Request
}

/** Where the hub tells of what its operator should know. `fields` are for machines. */
export interface Logger {
  readonly warn: (text: string, fields: Readonly<Record<string, unknown>>) => void
  readonly error: (text: string, fields: Readonly<Record<string, unknown>>) => void
}

/** What every handler is given. */
export interface Context<D extends ChannelDefinition, P extends string, User> {
  readonly user: User
  readonly params: Params<P>
  /** The channel itself, to publish on. */
  readonly channel: ChannelHandle<D>
  /** The client's public name: the same across its reconnects. */
  readonly member: string
  readonly connection: string
}

/**
 * What clients may do on the channels of one pattern. A handler is given what the contract has validated and returns
 * what becomes of it, which is validated too. It may throw a `HoldfastError`, which the client is told; anything else it
 * throws is logged, and the client is told `handler_failed`. Publishes of one client on one channel are handled in the
 * order sent. A publish whose acknowledgement was lost is sent again, so its handler may run twice though it is appended
 * once: side effects should go by `idempotencyKey`.
 */
export interface ChannelHandlers<D extends ChannelDefinition, P extends string, User> {
  /** Who may subscribe. Default: nobody. */
  readonly subscribe?: true | Handler<Context<D, P, User>, boolean>
  readonly events?:
    | {
        readonly [N in keyof Events<D>]?: Handler<
          Context<D, P, User> & { readonly data: Accepted<Events<D>[N]>; readonly idempotencyKey: string },
          Published<Events<D>[N]>
        >
      }
    | undefined
  readonly state?:
    | {
        readonly [N in keyof States<D>]?: Handler<
          Context<D, P, User> & {
            readonly key: string
            readonly data: Accepted<States<D>[N]>
            readonly idempotencyKey: string
          },
          Published<States<D>[N]>
        >
      }
    | undefined
  /** Whether a client may delete a key. */
  readonly delete?:
    | {
        readonly [N in keyof States<D>]?: Handler<Context<D, P, User> & { readonly key: string }, boolean>
      }
    | undefined
  readonly presence?: Handler<
    Context<D, P, User> & { readonly data: Accepted<Presence<D>> },
    Published<Presence<D>>
  >
  readonly signals?:
    | {
        readonly [N in keyof Signals<D>]?: Handler<
          Context<D, P, User> & { readonly data: Accepted<Signals<D>[N]> },
          Published<Signals<D>[N]>
        >
      }
    | undefined
  /**
   * Loads what subscribers are given before the entries. It runs after the log's position was taken, so that together
   * with the entries behind that position nothing is missing; it may run once for many subscribers.
   */
  readonly snapshot?: Handler<
    { readonly params: Params<P>; readonly channel: ChannelHandle<D> },
    SchemaInput<Loaded<D>>
  >
  readonly calls?:
    | {
        readonly [N in keyof Calls<D>]?: Handler<
          Context<D, P, User> & {
            readonly input: SchemaOutput<CallInput<Calls<D>[N]>>
            readonly fail: Fail<CallErrors<Calls<D>[N]>>
          },
          SchemaInput<CallOutput<Calls<D>[N]>>
        >
      }
    | undefined
}

/** Ends a call with an error that the contract declares. Throws, so nothing after it runs. */
export type Fail<Errors> = <Code extends keyof Errors & string>(
  code: Code,
  data: Errors[Code] extends Schema ? SchemaInput<Errors[Code]> : never,
  message?: string,
) => never
