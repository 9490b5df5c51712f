import type { Payload, Schema } from "../../contract/index.ts"
import { isSchema, type Validation, validate } from "../../contract/schema.ts"
import { type EncodedPayload, encodeBody, encodePayload, payloadBytes } from "../../protocol/body.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Target } from "../channel/target.ts"
import { type Eventual, whenDone } from "./eventual.ts"

/**
 * What the schema makes of a value; a promise only when the schema is asynchronous. `what` begins the error's sentence.
 * @throws HoldfastError `invalid_payload`, with the path of the first complaint
 */
export function validated(what: string, schema: Schema, value: unknown): Eventual<unknown> {
  const result = validate(schema, value)
  return result instanceof Promise ? result.then((result) => accepted(what, result)) : accepted(what, result)
}

function accepted(what: string, result: Validation): unknown {
  if (result.ok) return result.value
  const issue = result.issues[0] ?? { path: "", message: "invalid" }
  const where = issue.path === "" ? "" : `${issue.path}: `
  throw new HoldfastError("invalid_payload", `${what}: ${where}${issue.message}`, { path: issue.path })
}

/**
 * A payload as it is kept and sent, once its schema has taken it. `what` begins the error's sentence.
 * @param codec default: the one that suits the value
 * @throws HoldfastError `invalid_payload`, `invalid_value`, `message_too_large`
 */
export function bodyOf(
  what: string,
  schema: Schema,
  value: unknown,
  { bytesMax, codec }: { readonly bytesMax: number; readonly codec?: CodecName | undefined },
): Eventual<Uint8Array> {
  return whenDone(validated(what, schema, value), (valid) => {
    const body = encodeBody(valid, codec)
    checkSize(what, body, bytesMax)
    return body
  })
}

const NO_CODECS: ReadonlySet<CodecName> = new Set()

interface PublishedForm {
  readonly bytesMax: number
  readonly codec: CodecName | undefined
  /** Whether delivery can take what is converted here. */
  readonly converts: boolean
}

/** How many times as long as its MessagePack the JSON of a value may be, at most: that of `false`, or of a control character. */
const JSON_GROWTH_MAX = 6

/**
 * A payload as it is kept, and in the other codec if live subscribers need that: made of the value, it costs less than made of
 * what is kept.
 * @param codec default: the codec of the subscribers, if the value is so small that the limit refuses it in neither codec; otherwise
 * the one that suits the value, so what is too large does not depend on the subscribers
 * @throws HoldfastError as `bodyOf` does
 */
export function payloadFor(
  codecs: ReadonlySet<CodecName>,
  what: string,
  schema: Schema,
  value: unknown,
  form: PublishedForm,
): Eventual<EncodedPayload> {
  const valid = validated(what, schema, value)
  return valid instanceof Promise
    ? valid.then((valid) => encoded(codecs, what, valid, form))
    : encoded(codecs, what, valid, form)
}

function encoded(
  codecs: ReadonlySet<CodecName>,
  what: string,
  value: unknown,
  { bytesMax, codec, converts }: PublishedForm,
): EncodedPayload {
  if (codec === undefined && codecs.size === 1 && codecs.has("msgpack")) {
    const body = encodeBody(value, "msgpack")
    if (body.byteLength * JSON_GROWTH_MAX <= bytesMax) return { body, converted: undefined }
  }
  const payload = encodePayload(value, codec, converts ? codecs : NO_CODECS)
  checkSize(what, payload.body, bytesMax)
  return payload
}

function checkSize(what: string, body: Uint8Array, bytesMax: number): void {
  const bytes = payloadBytes(body)
  if (bytes <= bytesMax) return
  const text = `${what}: ${bytes} bytes, the limit is ${bytesMax}`
  throw new HoldfastError("message_too_large", text, { limit: bytesMax })
}

/**
 * What the contract says of the payload of this name.
 * @throws HoldfastError `unknown_name`
 */
export function payloadOf(target: Target, facet: "events" | "state" | "signals", name: string): Payload {
  const payloads = target.match.definition[facet]
  if (payloads !== undefined && Object.hasOwn(payloads, name)) return payloads[name] as Payload
  throw new HoldfastError("unknown_name", `channel ${target.match.pattern} declares no ${facet} "${name}"`)
}

export function inputSchema(payload: Payload): Schema {
  return isSchema(payload) ? payload : payload.input
}

export function outputSchema(payload: Payload): Schema {
  return isSchema(payload) ? payload : payload.output
}
