import type { Schema } from "../../contract/index.ts"
import type { AppendOptions, Dedupe, EntryKind, Log, LogKeep } from "../../log/log.ts"
import { isKey, KEY_EXPECTED } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Position } from "../../protocol/position.ts"
import type { Limits } from "../limits.ts"
import { conform, declared, outputSchema } from "../payload.ts"
import type { Clock } from "../ports/clock.ts"
import type { Target } from "../target.ts"
import { keepOf } from "./keep.ts"
import type { RateCap } from "./rate-cap.ts"

export type Append = () => Promise<Position>

const EMPTY = new Uint8Array(0)

/** Puts entries on the log: validated, encoded once, within the limits. */
export class Publisher {
  readonly #log: Log
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #rateCap: RateCap
  readonly #trackKeep: (channel: string, keep: Required<LogKeep>) => void

  constructor(
    log: Log,
    clock: Clock,
    limits: Limits,
    rateCap: RateCap,
    trackKeep: (channel: string, keep: Required<LogKeep>) => void,
  ) {
    this.#log = log
    this.#clock = clock
    this.#limits = limits
    this.#rateCap = rateCap
    this.#trackKeep = trackKeep
  }

  /**
   * Makes an entry ready. What is returned appends it; so a caller can keep the order of appends without waiting for
   * each to be acknowledged.
   */
  async event(target: Target, name: string, value: unknown, dedupe?: Dedupe): Promise<Append> {
    const payload = declared(target, "events", name)
    const body = await this.encode(`event "${name}" of ${target.name}`, outputSchema(payload), value)
    return () => this.#append(target, "event", name, "", body, dedupe && { dedupe })
  }

  async set(target: Target, name: string, key: string, value: unknown, dedupe?: Dedupe): Promise<Append> {
    const payload = declared(target, "state", name)
    const body = await this.encode(`state "${name}" of ${target.name}`, outputSchema(payload), value)
    return this.#capped(target, "set", name, key, body, dedupe)
  }

  delete(target: Target, name: string, key: string, dedupe?: Dedupe): Append {
    declared(target, "state", name)
    return this.#capped(target, "delete", name, key, EMPTY, dedupe)
  }

  join(target: Target, member: string, membership: Uint8Array): Promise<Position> {
    return this.#append(target, "join", "", member, membership)
  }

  /** The member leaves, unless it has joined anew since `joined`, perhaps through another node. `why`: as of membership.ts. */
  left(target: Target, member: string, joined: number, why: Uint8Array): Promise<Position> {
    return this.#append(target, "left", "", member, why, { replaces: joined })
  }

  /** The offset of the member's latest entry, whichever node appended it; 0 when it has none. */
  async latestOf(target: Target, member: string): Promise<number> {
    // as no entry has this offset, nothing is appended, and the log says where the latest is
    const { offset } = await this.left(target, member, Number.MAX_SAFE_INTEGER, EMPTY)
    return offset
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

  #capped(
    target: Target,
    kind: EntryKind,
    name: string,
    key: string,
    body: Uint8Array,
    dedupe?: Dedupe,
  ): Append {
    checkKey(key)
    const perSecond = target.match.definition.rate?.perKeyPerSecond
    const append = () => this.#append(target, kind, name, key, body, dedupe && { dedupe })
    if (perSecond === undefined) return append
    const change = { append, keyed: dedupe !== undefined }
    return () => this.#rateCap.run(`${target.name}\n${name}\n${key}`, 1_000 / perSecond, change)
  }

  async #append(
    target: Target,
    kind: EntryKind,
    name: string,
    key: string,
    body: Uint8Array,
    options: Omit<AppendOptions, "keep"> = {},
  ): Promise<Position> {
    const keep = keepOf(target.match)
    this.#trackKeep(target.name, keep)
    const draft = { kind, name, key, body, at: this.#clock.now() }
    const { position } = await this.#log.append(target.name, draft, { keep, ...options })
    return position
  }
}

function checkKey(key: unknown): void {
  if (isKey(key)) return
  throw new HoldfastError("invalid_payload", `a state's key has to be ${KEY_EXPECTED}`, { path: "key" })
}
