import type { Entry } from "../../log/entry.ts"
import { bytesOf, textOf } from "./operations.ts"

/** The value as a reader sees it that has none of it. */
export function whole(latest: Entry | undefined, text: string): Entry {
  return { ...(latest as Entry), operation: "put", body: bytesOf(text) }
}

/** What a reader sees that has the value up to some piece. */
export function suffix(latest: Entry | undefined, text: string): Entry {
  return { ...(latest as Entry), operation: "extend", body: bytesOf(text) }
}

/** What a reader has of each key when it has read these entries. */
export function valuesOf(entries: readonly Entry[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const entry of entries) {
    const { key, operation } = entry
    if (operation === "put") values.set(key, textOf(entry) ?? "")
    if (operation === "extend") values.set(key, `${values.get(key)}${textOf(entry)}`)
  }
  return values
}
