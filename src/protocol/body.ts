import type { CodecName } from "./codec.ts"
import { EncodedValue } from "./encoded-value.ts"
import { json, jsonText } from "./json.ts"
import { msgpack } from "./msgpack.ts"
import { encodeMsgpack } from "./msgpack-encoder.ts"
import { BODY_DEPTH_MAX } from "./value.ts"

/**
 * A body is a payload as a log keeps it: in the codec in which it was published, so that subscribers of the same codec get it
 * as it is. No value of MessagePack begins with this byte. Behind it the payload is JSON, as on the wire, in UTF-8.
 */
const JSON_BODY = 0xc1

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Where short texts are encoded: no unit takes more than three bytes. */
const scratch = new Uint8Array(16 * 1024)
const SHORT_TEXT_LENGTH_MAX = Math.floor((scratch.length - 1) / 3)
const scratchText = scratch.subarray(1)
scratch[0] = JSON_BODY

const HOLDS_BYTES = Symbol("the value holds bytes")

function refuseBytes(): never {
  throw HOLDS_BYTES
}

/**
 * In memory of its own, so that one small body does not keep its neighbours' too.
 * @param codec default: JSON, unless the value holds bytes, which base64 would make a third larger
 * @throws HoldfastError `invalid_value` with the path of what cannot travel, or is nested deeper than 60 levels.
 */
export function encodeBody(value: unknown, codec?: CodecName): Uint8Array {
  if (codec === "msgpack") return msgpackBody(value)
  if (codec === "json") return jsonBody(jsonText(value, BODY_DEPTH_MAX))
  try {
    return jsonBody(jsonText(value, BODY_DEPTH_MAX, refuseBytes))
  } catch (error) {
    if (error === HOLDS_BYTES) return msgpackBody(value)
    throw error
  }
}

/** @throws HoldfastError `invalid_message` when the bytes are not what `encodeBody` makes. */
export function decodeBody(body: Uint8Array): unknown {
  return codecOf(body) === "json" ? json.decode(decoder.decode(contentOf(body))) : msgpack.decode(body)
}

/** How long the payload is, in its codec. */
export function payloadBytes(body: Uint8Array): number {
  return codecOf(body) === "json" ? body.byteLength - 1 : body.byteLength
}

/** A payload as a log keeps it, and in the other codec if that is needed at once. */
export interface EncodedPayload {
  readonly body: Uint8Array
  readonly converted: Uint8Array | undefined
}

/** The value as a body, and in the other one of the `codecs` that are needed. Throws as `encodeBody` does. */
export function encodePayload(
  value: unknown,
  codec: CodecName | undefined,
  codecs: ReadonlySet<CodecName>,
): EncodedPayload {
  const body = encodeBody(value, codec)
  if (codecOf(body) === "msgpack") {
    return { body, converted: codecs.has("json") ? contentOf(encodeBody(value, "json")) : undefined }
  }
  // not kept for long, so it needs no memory of its own
  return { body, converted: codecs.has("msgpack") ? encodeMsgpack(value, BODY_DEPTH_MAX, false) : undefined }
}

/** The payload for messages. It is converted to the other codec when that is asked for, once, unless it is `known`. */
export function payloadIn(body: Uint8Array, known?: Uint8Array): EncodedValue {
  const own = codecOf(body)
  let converted = known
  return new EncodedValue((codec) => {
    if (codec === own) return contentOf(body)
    converted ??= contentOf(encodeBody(decodeBody(body), codec))
    return converted
  })
}

function codecOf(body: Uint8Array): CodecName {
  return body[0] === JSON_BODY ? "json" : "msgpack"
}

function contentOf(body: Uint8Array): Uint8Array {
  return codecOf(body) === "json" ? body.subarray(1) : body
}

function msgpackBody(value: unknown): Uint8Array {
  return encodeMsgpack(value, BODY_DEPTH_MAX, true)
}

function jsonBody(text: string): Uint8Array {
  if (text.length <= SHORT_TEXT_LENGTH_MAX) {
    const { written } = encoder.encodeInto(text, scratchText)
    return scratch.slice(0, 1 + written)
  }
  const bytes = encoder.encode(text)
  const body = new Uint8Array(1 + bytes.length)
  body[0] = JSON_BODY
  body.set(bytes, 1)
  return body
}
