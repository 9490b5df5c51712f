import type { Entry } from "../../log/log.ts"
import type { EntryMessage } from "../../protocol/message.ts"
import { decodeBody } from "../../protocol/msgpack.ts"
import type { Position } from "../../protocol/position.ts"
import type { Encoding } from "../ports/link.ts"
import { memberData } from "../presence/membership.ts"

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

/** An entry of the log as the wire carries it, for the channel that `alias` stands for. */
export function entryMessage(alias: number, entry: Entry): EntryMessage {
  const { offset, at, name, key } = entry
  switch (entry.kind) {
    case "event":
      return { type: "event", alias, offset, at, name, data: decodeBody(entry.body) }
    case "set":
      return { type: "set", alias, offset, at, name, key, data: decodeBody(entry.body) }
    case "delete":
      return { type: "delete", alias, offset, at, name, key }
    case "join":
      return { type: "join", alias, offset, at, member: key, data: memberData(entry.body) }
    case "left":
      return { type: "left", alias, offset, at, member: key }
  }
}
