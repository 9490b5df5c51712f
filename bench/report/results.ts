import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { type Surroundings, surroundings } from "./machine.ts"

/** What a benchmark writes to its file: where it ran, how, and what came out. */
export interface Results<Settings, Row> extends Surroundings {
  readonly benchmark: string
  readonly settings: Settings
  readonly rows: readonly Row[]
}

export function writeResults<Settings, Row>(
  file: string,
  benchmark: string,
  settings: Settings,
  rows: readonly Row[],
): void {
  const results: Results<Settings, Row> = { benchmark, ...surroundings(), settings, rows }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  console.log(`\nWritten to ${file}`)
}
