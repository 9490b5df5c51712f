import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus, release, totalmem, type } from "node:os"

/** What the figures depend on, beside the code. */
export interface Surroundings {
  readonly date: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly system: string
  }
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
}

export function surroundings(): Surroundings {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
    },
    node: process.version,
    versions: {
      holdfast: versionIn(new URL("../../package.json", import.meta.url)),
      ...Object.fromEntries(["ws", "socket.io"].map((name) => [name, versionOf(name)])),
    },
  }
}

function versionOf(name: string): string {
  return versionIn(createRequire(import.meta.url).resolve(`${name}/package.json`))
}

function versionIn(manifest: string | URL): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version
}
