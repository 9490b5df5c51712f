import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"

const SERVER = fileURLToPath(new URL("../../playground/dist/server.js", import.meta.url))

export interface PlaygroundProcess {
  /** Where it keeps its log. */
  readonly folder: string
  readonly url: string
  readonly port: number
  /** What it has written to stderr so far. */
  readonly complaints: () => string
  /** Ends it with a signal; resolves with its exit code, null when the signal ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
}

/**
 * Starts the built playground as `npm start` does; resolves when it says where it is. Port 0: any that is free. Without
 * a folder it begins with an empty one.
 */
export async function startPlayground(
  port = 0,
  folder = emptyFolder(),
  args: readonly string[] = [],
): Promise<PlaygroundProcess> {
  const child = spawnPlayground(port, folder, args)
  let complaints = ""
  child.stderr?.on("data", (chunk) => {
    complaints += chunk
  })
  const url = await announcedUrl(child)
  return {
    url,
    complaints: () => complaints,
    folder,
    port: Number(new URL(url).port),
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const exited = once(child, "exit")
      child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}

/** Starts the playground where it cannot start; resolves with how it ended and what it said. */
export async function startInVain(
  port: number,
  folder = emptyFolder(),
  args: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = spawnPlayground(port, folder, args)
  let output = ""
  child.stdout?.on("data", (chunk) => {
    output += chunk
  })
  child.stderr?.on("data", (chunk) => {
    output += chunk
  })
  await once(child, "close")
  return { code: child.exitCode, output }
}

const folders: string[] = []

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-playground-"))
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function spawnPlayground(port: number, folder: string, args: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, ["--enable-source-maps", SERVER, ...args], {
    env: { ...process.env, PORT: String(port), HOLDFAST_DATA: folder },
    stdio: ["ignore", "pipe", "pipe"],
  })
}

function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ""
    const collect = (chunk: Buffer) => {
      output += chunk
      const url = output.match(/http:\/\/\S+/)?.[0]
      if (url !== undefined) resolve(url)
    }
    child.stdout?.on("data", collect)
    child.stderr?.on("data", collect)
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`The playground ended with ${code}:\n${output}`)))
  })
}
