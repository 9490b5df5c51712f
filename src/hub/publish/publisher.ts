import type { Schema } from "../../contract/index.ts"
import type { Log } from "../../log/log.ts"
import type { Operation, Retention } from "../../log/operation.ts"
import { isKey, KEY_EXPECTED } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Position } from "../../protocol/position.ts"
import { EVENTS, stateCollection } from "../channel/facets.ts"
import { type Retentions, retentionsOf } from "../channel/retention.ts"
import type { Target } from "../channel/target.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Author } from "./author.ts"
import { type Eventual, whenDone } from "./eventual.ts"
import { bodyOf, outputSchema, payloadOf } from "./payload.ts"
import type { RateCap } from "./rate-cap.ts"

/** Appends an entry that is ready. */
export type Append = () => Promise<Position>

const EMPTY = new Uint8Array(0)

export interface PublisherPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly rateCap: RateCap
  /** The channel is appended to: it has to be trimmed some time. */
  readonly track: (channel: string, retentions: Retentions) => void
}

/**
 * Puts entries on the log: validated, encoded once, within the limits. What `event`, `set` and `delete` return appends the entry; so
 * a caller can keep the order of appends without waiting for each to be acknowledged.
 */
export class Publisher {
  readonly #ports: PublisherPorts

  constructor(ports: PublisherPorts) {
    this.#ports = ports
  }

  /** @throws HoldfastError `unknown_name`, `invalid_payload`, `invalid_value`, `message_too_large` */
  event(target: Target, name: string, value: unknown, author: Author): Eventual<Append> {
    const schema = outputSchema(payloadOf(target, "events", name))
    const body = this.#body(`event "${name}" of ${target.name}`, schema, value, author)
    return whenDone(
      body,
      (body) => () =>
        this.#append(target, { operation: "append", collection: EVENTS, key: name, body }, author),
    )
  }

  /** @throws HoldfastError as `event` does */
  set(target: Target, name: string, key: string, value: unknown, author: Author): Eventual<Append> {
    const schema = outputSchema(payloadOf(target, "state", name))
    const body = this.#body(`state "${name}" of ${target.name}`, schema, value, author)
    const collection = stateCollection(name)
    return whenDone(body, (body) => this.#capped(target, { operation: "put", collection, key, body }, author))
  }

  /** @throws HoldfastError `unknown_name`, `invalid_payload` */
  delete(target: Target, name: string, key: string, author: Author): Append {
    payloadOf(target, "state", name)
    const collection = stateCollection(name)
    return this.#capped(target, { operation: "remove", collection, key, body: EMPTY }, author)
  }

  #body(what: string, schema: Schema, value: unknown, { codec }: Author): Eventual<Uint8Array> {
    return bodyOf(what, schema, value, { bytesMax: this.#ports.limits.messageBytesMax, codec })
  }

  #capped(target: Target, operation: Unstamped & { readonly key: string }, author: Author): Append {
    const { collection, key } = operation
    checkKey(key)
    const perSecond = target.match.definition.rate?.perKeyPerSecond
    const append = () => this.#append(target, operation, author)
    if (perSecond === undefined) return append
    const change = { append, keyed: author.dedupe !== undefined }
    return () => this.#ports.rateCap.run(`${target.name}\n${collection}\n${key}`, 1_000 / perSecond, change)
  }

  async #append(target: Target, operation: Unstamped, { dedupe, account }: Author): Promise<Position> {
    const { log, clock, track } = this.#ports
    const retentions = retentionsOf(target.match)
    track(target.name, retentions)
    const { position } = await log.append(target.name, { ...operation, at: clock.now() } as Operation, {
      retention: retentions[operation.collection] as Retention,
      ...(dedupe !== undefined && { dedupe }),
      ...(account !== undefined && { account }),
    })
    return position
  }
}

type Unstamped = Unstampable<Operation>
type Unstampable<O> = O extends Operation ? Omit<O, "at"> : never

function checkKey(key: unknown): void {
  if (isKey(key)) return
  throw new HoldfastError("invalid_payload", `a state's key has to be ${KEY_EXPECTED}`, { path: "key" })
}
