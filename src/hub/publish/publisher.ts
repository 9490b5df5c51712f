import type { Schema } from "../../contract/index.ts"
import type { Log } from "../../log/log.ts"
import type { Outcome, Retention } from "../../log/operation.ts"
import type { EncodedPayload } from "../../protocol/body.ts"
import { isKey, KEY_EXPECTED } from "../../protocol/client-message.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Position } from "../../protocol/position.ts"
import type { Channels } from "../channel/channels.ts"
import { EVENTS, stateCollection } from "../channel/facets.ts"
import { type Retentions, retentionsOf } from "../channel/retention.ts"
import type { Target } from "../channel/target.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Author } from "./author.ts"
import { type Eventual, whenDone } from "./eventual.ts"
import { outputSchema, payloadFor, payloadOf } from "./payload.ts"
import type { RateCap } from "./rate-cap.ts"

/** Appends an entry that is ready. */
export type Append = () => Promise<Position>

const EMPTY: EncodedPayload = { body: new Uint8Array(0), converted: undefined }
const NO_CODECS: ReadonlySet<CodecName> = new Set()

export interface PublisherPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly rateCap: RateCap
  /** The channels that are followed here. */
  readonly channels: Channels
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
    const payload = this.#payload(target, `event "${name}" of ${target.name}`, schema, value, author)
    const change = { operation: "append", collection: EVENTS, key: name } as const
    return whenDone(payload, (payload) => () => this.#append(target, change, payload, author))
  }

  /** @throws HoldfastError as `event` does */
  set(target: Target, name: string, key: string, value: unknown, author: Author): Eventual<Append> {
    const schema = outputSchema(payloadOf(target, "state", name))
    const payload = this.#payload(target, `state "${name}" of ${target.name}`, schema, value, author)
    const change = { operation: "put", collection: stateCollection(name), key } as const
    return whenDone(payload, (payload) => this.#capped(target, change, payload, author))
  }

  /** @throws HoldfastError `unknown_name`, `invalid_payload` */
  delete(target: Target, name: string, key: string, author: Author): Append {
    payloadOf(target, "state", name)
    const change = { operation: "remove", collection: stateCollection(name), key } as const
    return this.#capped(target, change, EMPTY, author)
  }

  #payload(
    { name }: Target,
    what: string,
    schema: Schema,
    value: unknown,
    { codec }: Author,
  ): Eventual<EncodedPayload> {
    const { channels, limits, log } = this.#ports
    const codecs = channels.find(name)?.codecs ?? NO_CODECS
    // a shared log comes back with another copy of the body
    const form = { bytesMax: limits.messageBytesMax, codec, converts: log.shared !== true }
    return payloadFor(codecs, what, schema, value, form)
  }

  #capped(target: Target, change: Change, payload: EncodedPayload, author: Author): Append {
    const { collection, key } = change
    checkKey(key)
    const perSecond = target.match.definition.rate?.perKeyPerSecond
    const append = () => this.#append(target, change, payload, author)
    if (perSecond === undefined) return append
    const capped = { append, keyed: author.dedupe !== undefined }
    return () => this.#ports.rateCap.run(`${target.name}\n${collection}\n${key}`, 1_000 / perSecond, capped)
  }

  #append(target: Target, change: Change, payload: EncodedPayload, author: Author): Promise<Position> {
    const { log, clock, channels, track } = this.#ports
    const { name } = target
    const { operation, collection, key } = change
    const { body, converted } = payload
    const retentions = retentionsOf(target.match)
    track(name, retentions)
    const retention = retentions[collection] as Retention
    const { dedupe, account } = author
    // written out, as spreading costs a tenth of a publish
    const append = () =>
      log.append(name, { operation, collection, key, body, at: clock.now() }, { retention, dedupe, account })
    const channel = converted && channels.find(name)
    const appended = channel ? channel.handOver(body, converted, append) : append()
    return appended.then(positionOf)
  }
}

/** What is changed: an operation without its body. */
interface Change {
  readonly operation: "append" | "put" | "remove"
  readonly collection: string
  readonly key: string
}

function positionOf({ position }: Outcome): Position {
  return position
}

function checkKey(key: unknown): void {
  if (isKey(key)) return
  throw new HoldfastError("invalid_payload", `a state's key has to be ${KEY_EXPECTED}`, { path: "key" })
}
