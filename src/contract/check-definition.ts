import type { CallDefinition, ChannelDefinition, Keep, Payload } from "./channel.ts"
import { isSchema } from "./schema.ts"

/** The greatest length of an event's, state's, signal's or call's name, in UTF-16 code units. */
export const NAME_LENGTH_MAX = 255

/** A record, so that a facet that is added to the type has to be added here. */
const known: Readonly<Record<keyof ChannelDefinition, true>> = {
  events: true,
  state: true,
  presence: true,
  signals: true,
  snapshot: true,
  calls: true,
  keep: true,
  rate: true,
}

const knownKeep: Readonly<Record<keyof Keep, true>> = {
  events: true,
  forMs: true,
  bytes: true,
  removalsForMs: true,
}
const knownRate: Readonly<Record<keyof NonNullable<ChannelDefinition["rate"]>, true>> = {
  perKeyPerSecond: true,
}

/**
 * The types let a misspelled facet through, and a program without types lets everything through.
 * @throws TypeError that names the channel and what is wrong with its definition.
 */
export function checkDefinition(pattern: string, definition: ChannelDefinition): void {
  const complaint =
    typeof definition === "object" && definition !== null ? complain(definition) : "is no object"
  if (complaint !== undefined) throw new TypeError(`channel "${pattern}": ${complaint}`)
}

/** What is wrong with the first facet that is not as it should be. */
function complain(definition: ChannelDefinition): string | undefined {
  const { events, state, signals, calls, presence, snapshot } = definition
  return (
    complainUnknown("", definition, known) ??
    complainNamed("events", events, complainPayload) ??
    complainNamed("state", state, complainPayload) ??
    complainNamed("signals", signals, complainPayload) ??
    complainNamed("calls", calls, complainCall) ??
    (presence === undefined ? undefined : complainPayload("presence", presence)) ??
    (snapshot === undefined || isSchema(snapshot) ? undefined : "snapshot is no Standard Schema") ??
    complainUnknown("keep.", definition.keep, knownKeep) ??
    complainUnknown("rate.", definition.rate, knownRate) ??
    complainNumbers("keep", definition.keep, (value) => value >= 0) ??
    complainNumbers("rate", definition.rate, (value) => value > 0)
  )
}

function complainUnknown(where: string, given: object = {}, known: object): string | undefined {
  const name = Object.keys(given).find((each) => !Object.hasOwn(known, each))
  return name === undefined ? undefined : `"${where}${name}" is none of ${Object.keys(known).join(", ")}`
}

function complainNamed<T>(
  facet: string,
  declared: Readonly<Record<string, T>> | undefined,
  complainOne: (where: string, one: T) => string | undefined,
): string | undefined {
  for (const [name, one] of Object.entries(declared ?? {})) {
    if (name === "" || name.length > NAME_LENGTH_MAX) {
      return `a name in ${facet} has ${name.length} characters, it may have 1 to ${NAME_LENGTH_MAX}`
    }
    const complaint = complainOne(`${facet}.${name}`, one)
    if (complaint !== undefined) return complaint
  }
  return undefined
}

function complainPayload(where: string, payload: Payload): string | undefined {
  if (isSchema(payload)) return undefined
  if (isSchema(payload?.input) && isSchema(payload?.output)) return undefined
  return `${where} is neither a Standard Schema nor a pair { input, output } of them`
}

function complainCall(where: string, call: CallDefinition): string | undefined {
  if (!isSchema(call?.input) || !isSchema(call?.output)) {
    return `${where} needs an "input" and an "output" Standard Schema`
  }
  for (const [code, schema] of Object.entries(call.errors ?? {})) {
    if (!isSchema(schema)) return `${where}.errors.${code} is no Standard Schema`
  }
  return undefined
}

function complainNumbers(
  facet: string,
  numbers: object | undefined,
  accepts: (value: number) => boolean,
): string | undefined {
  for (const [name, value] of Object.entries(numbers ?? {})) {
    if (value === undefined) continue
    if (typeof value !== "number" || !accepts(value)) {
      return `${facet}.${name} is ${value}, and has to be a positive number`
    }
  }
  return undefined
}
