import type { Entry } from "../../log/entry.ts"
import { payloadIn } from "../../protocol/body.ts"
import type { EntryMessage } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import type { Encoding } from "../ports/link.ts"
import { EVENTS, PRESENCE, stateOf } from "./facets.ts"
import { decodeMember } from "./member-entry.ts"

/** A message with its frames: each encoding makes its frame once, and all subscribers share it. */
export class Encoded {
  readonly #message: object
  readonly #position: Position | undefined
  // one encoding is the rule, so the first has no map
  #encoding: Encoding | undefined
  #frame: Uint8Array | undefined
  #others: Map<Encoding, Uint8Array> | undefined

  /** `position`: where a cursor stands behind it, if it moves cursors. */
  constructor(message: object, position?: Position) {
    this.#message = message
    this.#position = position
  }

  frame(encoding: Encoding): Uint8Array {
    if (this.#encoding === encoding) return this.#frame as Uint8Array
    const known = this.#others?.get(encoding)
    if (known !== undefined) return known
    const frame = encoding.frame(this.#message, this.#position)
    if (this.#encoding === undefined) {
      this.#encoding = encoding
      this.#frame = frame
    } else {
      this.#others ??= new Map()
      this.#others.set(encoding, frame)
    }
    return frame
  }
}

/**
 * An entry of the log as the wire carries it, for the channel that `alias` stands for.
 * @param converted its payload in the other codec, if that is known
 */
export function entryMessage(alias: number, entry: Entry, converted?: Uint8Array): EntryMessage {
  const { collection, operation, offset, at, key, body } = entry
  const isRemoved = operation === "remove"
  if (collection === EVENTS)
    return { type: "event", alias, offset, at, name: key, data: payloadIn(body, converted) }
  if (collection === PRESENCE) {
    if (isRemoved) return { type: "left", alias, offset, at, member: key }
    const { user, data } = decodeMember(body)
    const named = user === undefined ? {} : { user }
    return { type: "join", alias, offset, at, member: key, ...named, data: payloadIn(data) }
  }
  const name = stateOf(collection) ?? ""
  if (isRemoved) return { type: "delete", alias, offset, at, name, key }
  return { type: "set", alias, offset, at, name, key, data: payloadIn(body, converted) }
}
