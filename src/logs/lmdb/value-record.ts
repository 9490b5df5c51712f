import type { KeyState } from "../../log/condition.ts"
import { bufferOf, CHECKSUM_BYTES, sealed, space, unsealed } from "./record.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

/** A key with a value, as it is written with each change: all but what was put if that is long, and the pieces. */
export interface ValueState extends KeyState {
  readonly key: string
  readonly hasValue: true
  /** When its latest entry was published. */
  readonly at: number
  readonly created: number
  readonly createdAt: number
  /** Whose the key is. */
  readonly account: string | undefined
  /** The offset of its last put. */
  readonly putAt: number
  /** Of the whole value, and of what its latest entry added. */
  readonly bytes: number
  readonly lastBytes: number
  /** The offset under which the last run of pieces stands; 0 when there is none. */
  readonly lastRun: number
  /** What was put, unless it is longer than `INLINE_BYTES_MAX` and stands in the first piece. */
  readonly inline: Uint8Array
}

/** A removal that is remembered. */
export interface Removal extends KeyState {
  readonly key: string
  readonly hasValue: false
  readonly at: number
  readonly created: number
  readonly body: Uint8Array
}

/** A body up to this size is written together with the state of its key. */
export const INLINE_BYTES_MAX = 1_024

const NUMBERS = 10
/** In front of an account's name; without one there is nothing. */
const HAS_ACCOUNT = "@"

export function encodeState(state: ValueState): Buffer {
  const { key, holder, inline } = state
  const account = state.account === undefined ? "" : HAS_ACCOUNT + state.account
  const texts = textBytesMax(key) + textBytesMax(holder) + textBytesMax(account)
  const target = space(CHECKSUM_BYTES + 8 * NUMBERS + texts + inline.length)
  let position = CHECKSUM_BYTES
  for (const number of [...numbersOf(state), inline.length]) position = target.writeDoubleLE(number, position)
  for (const text of [key, holder, account]) position = writeText(target, position, text)
  target.set(inline, position)
  return sealed(state.created, target.subarray(0, position + inline.length))
}

function numbersOf(state: ValueState): number[] {
  const { offset, version, lapsesAt, at, createdAt, putAt, bytes, lastBytes, lastRun } = state
  return [offset, version, lapsesAt, at, createdAt, putAt, bytes, lastBytes, lastRun]
}

/** @throws RangeError when the record is not what was written */
export function decodeState(created: number, record: Uint8Array): ValueState {
  const source = unsealed(created, record)
  let position = CHECKSUM_BYTES
  const number = () => {
    position += 8
    return source.readDoubleLE(position - 8)
  }
  const text = () => {
    const read = readText(source, position)
    position = read.end
    return read.text
  }
  const head = { offset: number(), version: number(), lapsesAt: number(), at: number(), createdAt: number() }
  const body = { putAt: number(), bytes: number(), lastBytes: number(), lastRun: number() }
  const inlineBytes = number()
  const [key, holder, account] = [text(), text(), text()]
  const inline = source.subarray(position, position + inlineBytes)
  const owner = account === "" ? undefined : account.slice(HAS_ACCOUNT.length)
  return { key, hasValue: true, created, holder, account: owner, ...head, ...body, inline }
}

export function encodeRemoval({ key, version, created, at, offset, body }: Removal): Buffer {
  const target = space(CHECKSUM_BYTES + 24 + textBytesMax(key) + body.length)
  let position = CHECKSUM_BYTES
  for (const number of [version, created, at]) position = target.writeDoubleLE(number, position)
  position = writeText(target, position, key)
  target.set(body, position)
  return sealed(offset, target.subarray(0, position + body.length))
}

/** @throws RangeError when the record is not what was written */
export function decodeRemoval(offset: number, record: Uint8Array): Removal {
  const source = unsealed(offset, record)
  const [version, created, at] = [0, 8, 16].map((start) => source.readDoubleLE(CHECKSUM_BYTES + start)) as [
    number,
    number,
    number,
  ]
  const key = readText(source, CHECKSUM_BYTES + 24)
  const body = source.subarray(key.end)
  const none = { holder: "", lapsesAt: Number.POSITIVE_INFINITY, hasValue: false } as const
  return { offset, key: key.text, version, created, at, body, ...none }
}

/**
 * A run of pieces: how many bytes they have, these bytes, and then for each piece its offset and where it ends. So what follows
 * an offset is one part of the record, however many pieces that is.
 */
const RUN_HEADER_BYTES = CHECKSUM_BYTES + 4
const PIECE_BYTES = 6 + 4

/** The most bytes that a run has with another piece. */
export function runBytes(run: Uint8Array | undefined, body: Uint8Array): number {
  return (run?.length ?? RUN_HEADER_BYTES) + body.length + PIECE_BYTES
}

/** A run with one more piece at its end; `run` is undefined when the piece is its first. */
export function encodeRun(
  first: number,
  run: Uint8Array | undefined,
  offset: number,
  body: Uint8Array,
): Buffer {
  const target = space(runBytes(run, body))
  const before = run === undefined ? 0 : bufferOf(run).readUInt32LE(CHECKSUM_BYTES)
  const bytes = before + body.length
  target.writeUInt32LE(bytes, CHECKSUM_BYTES)
  if (run !== undefined)
    target.set(run.subarray(RUN_HEADER_BYTES, RUN_HEADER_BYTES + before), RUN_HEADER_BYTES)
  target.set(body, RUN_HEADER_BYTES + before)
  let position = RUN_HEADER_BYTES + bytes
  if (run !== undefined) {
    const pieces = run.subarray(RUN_HEADER_BYTES + before)
    target.set(pieces, position)
    position += pieces.length
  }
  position = target.writeUInt32LE(bytes, target.writeUIntLE(offset, position, 6))
  return sealed(first, target.subarray(0, position))
}

/**
 * What was added behind `after` and up to `through`.
 * @throws RangeError when the record is not what was written
 */
export function decodeRun(first: number, record: Uint8Array, after: number, through: number): Buffer {
  const source = unsealed(first, record)
  const pieces = RUN_HEADER_BYTES + source.readUInt32LE(CHECKSUM_BYTES)
  let [start, end] = [RUN_HEADER_BYTES, RUN_HEADER_BYTES]
  for (let position = pieces; position < source.length; position += PIECE_BYTES) {
    const offset = source.readUIntLE(position, 6)
    if (offset > through) break
    end = RUN_HEADER_BYTES + source.readUInt32LE(position + 6)
    if (offset <= after) start = end
  }
  return source.subarray(start, end)
}

/** The offsets of the pieces in a run. */
export function offsetsOfRun(record: Uint8Array): number[] {
  const source = bufferOf(record)
  const offsets: number[] = []
  const pieces = RUN_HEADER_BYTES + source.readUInt32LE(CHECKSUM_BYTES)
  for (let position = pieces; position < source.length; position += PIECE_BYTES)
    offsets.push(source.readUIntLE(position, 6))
  return offsets
}

/** A put or an extend of a value: of the key that was created at an offset, and how many bytes it brought. */
export interface Step {
  readonly created: number
  readonly bytes: number
  /** Whether the value was extended. */
  readonly isExtended: boolean
}

export function encodeStep({ created, bytes, isExtended }: Step): Buffer {
  const target = space(11)
  target.writeUIntLE(created, 0, 6)
  target.writeUInt32LE(bytes, 6)
  target[10] = isExtended ? 1 : 0
  return target.subarray(0, 11)
}

export function decodeStep(record: Uint8Array): Step {
  const source = bufferOf(record)
  return {
    created: source.readUIntLE(0, 6),
    bytes: source.readUInt32LE(6),
    isExtended: source[10] === 1,
  }
}

/** Where a key's value or removal stands: the offset of creation of a value, the own offset of a removal. */
export interface Pointer {
  readonly hasValue: boolean
  readonly offset: number
}

export function encodePointer({ hasValue, offset }: Pointer): Buffer {
  const target = space(7)
  target.writeUIntLE(offset, 0, 6)
  target[6] = hasValue ? 1 : 0
  return target.subarray(0, 7)
}

export function decodePointer(record: Uint8Array): Pointer {
  const source = bufferOf(record)
  return { hasValue: source[6] === 1, offset: source.readUIntLE(0, 6) }
}
