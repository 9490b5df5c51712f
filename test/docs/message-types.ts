import { readFileSync } from "node:fs"
import { isOffset, isPosition } from "../../src/protocol/position.ts"

/** A message as `src/protocol/message.ts` declares it. */
export interface MessageType {
  /** The value of its `type`. */
  readonly type: string
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly optional: boolean
  /** As written in the source. */
  readonly type: string
}

const source = readFileSync(new URL("../../src/protocol/message.ts", import.meta.url), "utf8")
const interfaces = readInterfaces()

/** Read from the source, so that a message or a field that is added there is missed here. */
export const clientMessages: readonly MessageType[] = membersOf("ClientMessage").map(messageType)
export const serverMessages: readonly MessageType[] = membersOf("ServerMessage").map(messageType)

function readInterfaces(): ReadonlyMap<string, readonly Field[]> {
  const found = new Map<string, readonly Field[]>()
  for (const [, name, base, body] of source.matchAll(
    /^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}/gms,
  )) {
    const own = [...body!.matchAll(/^ {2}readonly (\w+)(\??): (.+)$/gm)].map(
      ([, field, mark, type]): Field => ({ name: field!, optional: mark === "?", type: type! }),
    )
    found.set(name!, [...own, ...(base === undefined ? [] : (found.get(base) ?? []))])
  }
  return found
}

/** The names of the interfaces of a union, unions within it included. */
function membersOf(union: string): string[] {
  const body = new RegExp(`^export type ${union} =((?:\\s*\\|?\\s*\\w+)+?)\\n\\n?(?=\\S|$)`, "m").exec(
    `${source}\n`,
  )
  if (body === null) throw new Error(`message.ts declares no union ${union}`)
  return [...body[1]!.matchAll(/\w+/g)].flatMap(([name]) => (interfaces.has(name) ? [name] : membersOf(name)))
}

function messageType(name: string): MessageType {
  const fields = interfaces.get(name)!
  const type = fields.find((field) => field.name === "type")!.type
  return { type: JSON.parse(type), fields }
}

const isNumber = (value: unknown) => typeof value === "number"
const isString = (value: unknown) => typeof value === "string"
const isBoolean = (value: unknown) => typeof value === "boolean"

/** A check for each type that a server's message uses, by its source. */
const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: isString,
  number: isNumber,
  boolean: isBoolean,
  unknown: () => true,
  Position: isPosition,
  GapReason: (value) => ["trimmed", "new-epoch", "unknown-position"].includes(value as string),
  "readonly string[]": (value) => Array.isArray(value) && value.every(isString),
  "readonly SnapshotEntry[]": (value) => Array.isArray(value) && value.every(isSnapshotEntry),
  "{ readonly offset: number; readonly data: unknown }": (value) =>
    isOffset((value as { offset?: unknown }).offset) && "data" in (value as object),
}

/** What is wrong with a message of the server; undefined when nothing is. */
export function complaintAbout(message: Readonly<Record<string, unknown>>): string | undefined {
  const declared = serverMessages.find(({ type }) => type === message.type)
  if (declared === undefined) return `no message of the server has the type ${message.type}`
  return complaintAboutFields(message, declared.fields)
}

function complaintAboutFields(
  message: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
): string | undefined {
  for (const { name, optional, type } of fields) {
    const value = message[name]
    if (value === undefined) {
      if (!optional && !(name in message)) return `"${name}" is missing`
      continue
    }
    const check = type.startsWith('"') ? (it: unknown) => it === JSON.parse(type) : checks[type]
    if (check === undefined) throw new Error(`no check is known for the type ${type}`)
    if (!check(value)) return `"${name}" is no ${type}`
  }
  const names = fields.map(({ name }) => name)
  const extra = Object.keys(message).find((name) => !names.includes(name))
  return extra === undefined ? undefined : `"${extra}" is no field of ${message.type}`
}

function isSnapshotEntry(entry: Readonly<Record<string, unknown>>): boolean {
  const declared = serverMessages.find(({ type }) => type === entry.type)
  if (declared === undefined || !["set", "join"].includes(declared.type)) return false
  const fields = declared.fields.filter(({ name }) => name !== "alias")
  return complaintAboutFields(entry, fields) === undefined
}
