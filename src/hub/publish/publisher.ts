import type { Schema } from "../../contract/index.ts"
import type { Log } from "../../log/log.ts"
import type { AppendOptions, Dedupe, Operation, Retention } from "../../log/operation.ts"
import { isKey, KEY_EXPECTED } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Position } from "../../protocol/position.ts"
import { EVENTS, PRESENCE, stateCollection } from "../channel/facets.ts"
import { type Retentions, retentionsOf } from "../channel/retention.ts"
import type { Limits } from "../limits.ts"
import { conform, declared, outputSchema } from "../payload.ts"
import type { Clock } from "../ports/clock.ts"
import type { Target } from "../target.ts"
import type { RateCap } from "./rate-cap.ts"

export type Append = () => Promise<Position>

const EMPTY = new Uint8Array(0)

/** Puts entries on the log: validated, encoded once, within the limits. */
export class Publisher {
  readonly #log: Log
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #rateCap: RateCap
  readonly #track: (channel: string, retentions: Retentions) => void

  constructor(
    log: Log,
    clock: Clock,
    limits: Limits,
    rateCap: RateCap,
    track: (channel: string, retentions: Retentions) => void,
  ) {
    this.#log = log
    this.#clock = clock
    this.#limits = limits
    this.#rateCap = rateCap
    this.#track = track
  }

  /**
   * Makes an entry ready. What is returned appends it; so a caller can keep the order of appends without waiting for
   * each to be acknowledged.
   */
  async event(target: Target, name: string, value: unknown, dedupe?: Dedupe): Promise<Append> {
    const payload = declared(target, "events", name)
    const body = await this.encode(`event "${name}" of ${target.name}`, outputSchema(payload), value)
    return () =>
      this.#append(target, { operation: "append", collection: EVENTS, key: name, body }, dedupe && { dedupe })
  }

  async set(target: Target, name: string, key: string, value: unknown, dedupe?: Dedupe): Promise<Append> {
    const payload = declared(target, "state", name)
    const body = await this.encode(`state "${name}" of ${target.name}`, outputSchema(payload), value)
    return this.#capped(target, { operation: "put", collection: stateCollection(name), key, body }, dedupe)
  }

  delete(target: Target, name: string, key: string, dedupe?: Dedupe): Append {
    declared(target, "state", name)
    return this.#capped(
      target,
      { operation: "remove", collection: stateCollection(name), key, body: EMPTY },
      dedupe,
    )
  }

  join(target: Target, member: string, membership: Uint8Array): Promise<Position> {
    return this.#append(target, { operation: "put", collection: PRESENCE, key: member, body: membership })
  }

  /** The member leaves, unless it has joined anew since `joined`, perhaps through another node. `why`: as of membership.ts. */
  left(target: Target, member: string, joined: number, why: Uint8Array): Promise<Position> {
    const operation = { operation: "remove", collection: PRESENCE, key: member, body: why } as const
    return this.#append(target, operation, { condition: { latest: joined } })
  }

  /**
   * A payload as it is kept and sent, after its schema has had a look at it. `what` begins the error's sentence.
   * @throws HoldfastError `invalid_payload`, `invalid_value`, `message_too_large`
   */
  async encode(what: string, schema: Schema, value: unknown): Promise<Uint8Array> {
    const body = encodeBody(await conform(what, schema, value))
    const limit = this.#limits.messageBytesMax
    if (body.byteLength > limit) {
      throw new HoldfastError(
        "message_too_large",
        `${what}: ${body.byteLength} bytes, the limit is ${limit}`,
        { limit },
      )
    }
    return body
  }

  #capped(target: Target, operation: Unstamped & { readonly key: string }, dedupe?: Dedupe): Append {
    const { collection, key } = operation
    checkKey(key)
    const perSecond = target.match.definition.rate?.perKeyPerSecond
    const append = () => this.#append(target, operation, dedupe && { dedupe })
    if (perSecond === undefined) return append
    const change = { append, keyed: dedupe !== undefined }
    return () => this.#rateCap.run(`${target.name}\n${collection}\n${key}`, 1_000 / perSecond, change)
  }

  async #append(
    target: Target,
    operation: Unstamped,
    options: Omit<AppendOptions, "retention"> = {},
  ): Promise<Position> {
    const retentions = retentionsOf(target.match)
    this.#track(target.name, retentions)
    const retention = retentions[operation.collection] as Retention
    const stamped = { ...operation, at: this.#clock.now() } as Operation
    const { position } = await this.#log.append(target.name, stamped, { retention, ...options })
    return position
  }
}

type Unstamped = Unstampable<Operation>
type Unstampable<O> = O extends Operation ? Omit<O, "at"> : never

function checkKey(key: unknown): void {
  if (isKey(key)) return
  throw new HoldfastError("invalid_payload", `a state's key has to be ${KEY_EXPECTED}`, { path: "key" })
}
