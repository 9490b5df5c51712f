import type { Entry } from "../../log/entry.ts"
import type {
  Account,
  Append,
  Dedupe,
  Extend,
  Operation,
  Put,
  Remove,
  Retention,
} from "../../log/operation.ts"

/** When the operations of these checks are published, unless they say otherwise. */
export const AT = Date.UTC(2030, 0, 1)

/** The collections that these operations change unless they say otherwise. */
export const FACTS = "facts"
export const KEYS = "keys"

export const keepAll: Retention = {
  entries: Infinity,
  forMs: Infinity,
  bytes: Infinity,
  removalsForMs: Infinity,
}

export function keep(limits: Partial<Retention>): Retention {
  return { ...keepAll, ...limits }
}

export function fact(text = "", more: Partial<Append> = {}): Append {
  return { operation: "append", collection: FACTS, key: "said", body: bytesOf(text), at: AT, ...more }
}

export function put(key: string, text = "", more: Partial<Put> = {}): Put {
  return { operation: "put", collection: KEYS, key, body: bytesOf(text), at: AT, ...more }
}

/** A put whose key the log assigns. */
export function create(text = "", more: Partial<Omit<Put, "key">> = {}): Put {
  return { operation: "put", collection: KEYS, body: bytesOf(text), at: AT, ...more }
}

export function extend(key: string, text = "", more: Partial<Extend> = {}): Extend {
  return { operation: "extend", collection: KEYS, key, body: bytesOf(text), at: AT, ...more }
}

export function remove(key: string, more: Partial<Remove> = {}): Remove {
  return { operation: "remove", collection: KEYS, key, body: new Uint8Array(0), at: AT, ...more }
}

export function once(key: string): Dedupe {
  return { key, fingerprint: `of ${key}`, windowMs: 300_000 }
}

export function account(name: string, limits: Partial<Account> = {}): Account {
  return { name, keysMax: Infinity, idempotencyKeysMax: Infinity, ...limits }
}

/** The entry that an operation becomes on a key that the log did not know before. */
export function entryOf(operation: Operation, offset: number, more: Partial<Entry> = {}): Entry {
  return {
    offset,
    operation: operation.operation,
    collection: operation.collection,
    key: operation.key ?? String(offset),
    body: operation.body,
    at: operation.at,
    created: offset,
    version: 0,
    holder: operation.operation === "put" ? (operation.holder ?? "") : "",
    ...more,
  }
}

/** "0" up to, not including, `count`. */
export function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index))
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textOf(entry: Entry | undefined): string | undefined {
  return entry && new TextDecoder().decode(entry.body)
}

export function textsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ body }) => new TextDecoder().decode(body))
}

export function offsetsOf(entries: readonly Entry[]): number[] {
  return entries.map(({ offset }) => offset)
}

export function keysOf(entries: readonly Entry[]): string[] {
  return entries.map(({ key }) => key)
}
