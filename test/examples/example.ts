import { type ChildProcessByStdio, spawn } from "node:child_process"
import { resolve } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** Examples run on the sources, on a free port. */
export const env = { ...process.env, PORT: "0", TSX_TSCONFIG_PATH: `${root}tsconfig.json` }

/** A running example: what it prints, line by line. */
export interface Example {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  /** The first line from here on that matches, as its match. */
  readonly line: (pattern: RegExp) => Promise<RegExpMatchArray>
}

/** Runs an example, by its name or its path, on the sources, on a free port, until the test is over. */
export function runExample(file: string, ...args: string[]): Example {
  const child = spawn(process.execPath, ["--import", "tsx", resolve(root, "examples", file), ...args], {
    cwd: root,
    env,
    stdio: ["pipe", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    process: child,
    line: async (pattern) => {
      for (;;) {
        const { done, value } = await lines.next()
        if (done === true) throw new Error(`${file} ended without a line like ${pattern}`)
        const match = value.match(pattern)
        if (match !== null) return match
      }
    },
  }
}
