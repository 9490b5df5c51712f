import { NAME_LENGTH_MAX } from "../contract/check-definition.ts"
import { CHANNEL_NAME_LENGTH_MAX } from "../contract/pattern.ts"
import { HoldfastError } from "./error.ts"
import type { ClientMessage } from "./message.ts"
import { EPOCH_LENGTH_MAX, isOffset } from "./position.ts"
import { isBytes } from "./value.ts"

/** The greatest length of a key of state, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 255
/** The greatest length of an idempotency key, in UTF-16 code units. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 128
/** How many events a fresh subscription may ask for by `history: { last }`. */
export const HISTORY_LAST_MAX = 10_000

/** What is wrong with a value: where inside of it, and what should stand there. `undefined` when nothing is. */
type Complaint = { readonly path: string; readonly expected: string; readonly found: unknown } | undefined
type Rule = (value: unknown) => Complaint

/**
 * Checks that a decoded message is one that a client may send, and returns it. Fields that the protocol does not know
 * are left alone, so that a newer client can speak to this server. Payloads are not looked at: `data` may be anything,
 * and may be left out.
 * @throws HoldfastError `invalid_message` with the path of the first field that is wrong.
 */
export function parseClientMessage(decoded: unknown): ClientMessage {
  const type = isObject(decoded) ? decoded.type : undefined
  const rule = rules.get(type)
  if (rule === undefined) throw unknownType(decoded, type)
  const complaint = rule(decoded)
  if (complaint === undefined) return decoded as ClientMessage
  const { path, expected, found } = complaint
  throw new HoldfastError(
    "invalid_message",
    `${type}: "${path}" has to be ${expected}, not ${brief(found)}.`,
    {
      path,
    },
  )
}

function unknownType(decoded: unknown, type: unknown): HoldfastError {
  if (!isObject(decoded)) {
    return new HoldfastError("invalid_message", `A message has to be an object, not ${brief(decoded)}.`)
  }
  const known = [...rules.keys()].join(", ")
  return new HoldfastError("invalid_message", `"type" has to be one of ${known}, not ${brief(type)}.`, {
    path: "type",
  })
}

/** What a key of state has to be, as a part of a sentence. */
export const KEY_EXPECTED = `a string of 1 to ${KEY_LENGTH_MAX} characters of well-formed Unicode`

/** Two keys with different lone surrogates would become the same key as soon as they are UTF-8. */
export function isKey(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value !== "" &&
    value.length <= KEY_LENGTH_MAX &&
    !/\p{Surrogate}/u.test(value)
  )
}

// --- rules -------------------------------------------------------------------------------------------------------

function expect(expected: string, accepts: (value: unknown) => boolean): Rule {
  return (value) => (accepts(value) ? undefined : { path: "", expected, found: value })
}

function text(lengthMax: number): Rule {
  return expect(
    `a string of 1 to ${lengthMax} characters`,
    (value) => typeof value === "string" && value !== "" && value.length <= lengthMax,
  )
}

function wholeNumber(min: number, max: number): Rule {
  return expect(
    `a whole number from ${min} to ${max}`,
    (value) => isOffset(value) && value >= min && value <= max,
  )
}

function optional(rule: Rule): Rule {
  return (value) => (value === undefined ? undefined : rule(value))
}

function object(fields: Readonly<Record<string, Rule>>): Rule {
  const entries = Object.entries(fields)
  return (value) => {
    if (!isObject(value)) return { path: "", expected: "an object", found: value }
    for (const [name, rule] of entries) {
      const complaint = rule(value[name])
      if (complaint !== undefined) return within(name, complaint)
    }
    return undefined
  }
}

function listOf(rule: Rule): Rule {
  return (value) => {
    if (!Array.isArray(value)) return { path: "", expected: "an array", found: value }
    for (const [index, item] of value.entries()) {
      const complaint = rule(item)
      if (complaint !== undefined) return within(`${index}`, complaint)
    }
    return undefined
  }
}

function within(name: string, complaint: NonNullable<Complaint>): Complaint {
  return { ...complaint, path: complaint.path === "" ? name : `${name}.${complaint.path}` }
}

// --- fields ------------------------------------------------------------------------------------------------------

const id = expect("a whole number from 0", isOffset)
const version = wholeNumber(1, Number.MAX_SAFE_INTEGER)
const channel = text(CHANNEL_NAME_LENGTH_MAX)
const name = text(NAME_LENGTH_MAX)
const idempotencyKey = text(IDEMPOTENCY_KEY_LENGTH_MAX)
const token = expect("a string", (value) => typeof value === "string")
const session = expect(
  "22 to 128 characters of A-Z a-z 0-9 _ -",
  (value) => typeof value === "string" && /^[\w-]{22,128}$/.test(value),
)
const since = expect("a number of ms since 1970", Number.isFinite)
const timeoutMs = expect("a number above 0", (value) => typeof value === "number" && value > 0)

const key = expect(KEY_EXPECTED, isKey)

const position = object({ epoch: text(EPOCH_LENGTH_MAX), offset: id })
const last = object({ last: wholeNumber(1, HISTORY_LAST_MAX) })
const history: Rule = (value) => {
  if (value === "all") return undefined
  return isObject(value) ? last(value) : { path: "", expected: `"all" or { last }`, found: value }
}
const load = expect("true or false", (value) => typeof value === "boolean")
const subscription = {
  channel,
  position: optional(position),
  snapshotOffset: optional(id),
  history: optional(history),
  load: optional(load),
}

const fields: Readonly<Record<ClientMessage["type"], Readonly<Record<string, Rule>>>> = {
  hello: {
    token: optional(token),
    session,
    subscriptions: listOf(object(subscription)),
    presence: optional(listOf(object({ channel, version }))),
    since: optional(since),
  },
  subscribe: subscription,
  unsubscribe: { channel },
  publish: { id, channel, name, idempotencyKey },
  set: { id, channel, name, key, idempotencyKey },
  delete: { id, channel, name, key, idempotencyKey },
  enter: { id, channel, version },
  leave: { id, channel, version },
  signal: { channel, name },
  call: { id, channel, name, timeoutMs },
  token: { token },
  ping: {},
  pong: {},
}

const rules: ReadonlyMap<unknown, Rule> = new Map(
  Object.entries(fields).map(([type, ofType]) => [type, object(ofType)]),
)

// --- values ------------------------------------------------------------------------------------------------------

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isBytes(value)
}

/** A value in a few words, for a message that a person reads. */
function brief(value: unknown): string {
  if (value === undefined) return "left out"
  if (typeof value === "string") return JSON.stringify(value.length <= 40 ? value : `${value.slice(0, 40)}…`)
  if (typeof value !== "object" || value === null) return `${value}`
  if (Array.isArray(value)) return "an array"
  return isBytes(value) ? "bytes" : "an object"
}
