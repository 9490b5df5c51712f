import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** A program of the tests, in TypeScript on the sources, in a process of its own. Its errors are shown unless they are piped. */
export function spawnTsx(
  script: string,
  args: readonly string[],
  errors: "inherit" | "pipe" = "inherit",
): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` },
    stdio: ["ignore", "pipe", errors],
  })
  return child as ChildProcess & { readonly stdout: NodeJS.ReadableStream }
}

/** Resolves with what stands behind "listening at" in its output. @throws Error when it ends before it says so */
export async function listeningAt({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const [, where] = line.match(/^listening at (\S+)$/) ?? []
    if (where !== undefined) return where
  }
  throw new Error("it has ended before it listened")
}
