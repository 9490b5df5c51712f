import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"
import type { Entry } from "../../src/log/entry.ts"
import type { Log } from "../../src/log/log.ts"
import type { Append, Put, Retention } from "../../src/log/operation.ts"

const folders: string[] = []

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-log-"))
  folders.push(folder)
  return folder
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** All files of a folder with their contents, to see that nothing was changed. */
export function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort()
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]))
}

export const keepAll: Retention = {
  entries: Number.POSITIVE_INFINITY,
  forMs: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  removalsForMs: Number.POSITIVE_INFINITY,
}

export function fact(text: string, at = Date.now()): Append {
  return { operation: "append", collection: "facts", key: "said", body: Buffer.from(text), at }
}

export function put(key: string, text: string): Put {
  return { operation: "put", collection: "keys", key, body: Buffer.from(text), at: Date.now() }
}

export async function entriesOf(
  log: Log,
  channel: string,
  select: "all" | "fold" = "all",
): Promise<readonly Entry[]> {
  const range = { after: 0, through: Number.MAX_SAFE_INTEGER, select, entriesMax: 1e6, bytesMax: 1e9 }
  return (await log.read(channel, range)).entries
}

export async function textsOf(log: Log, channel: string): Promise<string[]> {
  return (await entriesOf(log, channel)).map(({ body }) => Buffer.from(body).toString().trim())
}
