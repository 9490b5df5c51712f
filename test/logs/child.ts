import { type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface, type Interface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import type { LmdbLogOptions } from "../../src/logs/lmdb/index.ts"

const program = fileURLToPath(new URL("lmdb-child.ts", import.meta.url))

export interface ChildOptions extends LmdbLogOptions {
  readonly keep?: number
  readonly bodyBytes?: number
}

/** A process that runs a command of lmdb-child.ts. */
export interface Child {
  readonly pid: number
  /** What it says, a message at a time; undefined when it has ended. */
  readonly hear: () => Promise<Record<string, unknown> | undefined>
  readonly tell: (line: string) => void
  /** Ends it as `kill -9` does. Returns what it had said and nobody had heard yet. */
  readonly kill: () => Promise<Record<string, unknown>[]>
  readonly end: () => Promise<void>
}

/** @param fileBytesMax the largest file that the process may write, a multiple of 1024 */
export function child(
  command: string,
  folder: string,
  options: ChildOptions = {},
  fileBytesMax?: number,
): Child {
  const args = ["--import", "tsx", program, command, folder, JSON.stringify(options)]
  // LMDB itself writes about each write that fails, which is what those with a limit are for.
  const stdio = ["pipe", "pipe", fileBytesMax === undefined ? "inherit" : "ignore"] as const
  const limit = fileBytesMax === undefined ? "" : `ulimit -S -f ${fileBytesMax / 1024};`
  const shell = ["-c", `${limit} exec "$0" "$@"`, process.execPath]
  const running = spawn("bash", [...shell, ...args], { stdio: [...stdio] })
  const ended = once(running, "exit")
  const lines = createInterface({ input: running.stdout })
  const reader = lines[Symbol.asyncIterator]()
  const hear = async () => {
    const { done, value } = await reader.next()
    return done === true ? undefined : (JSON.parse(value) as Record<string, unknown>)
  }
  return {
    pid: running.pid as number,
    hear,
    tell: (line) => running.stdin.write(`${line}\n`),
    kill: async () => {
      running.kill("SIGKILL")
      await ended
      return await rest(lines, running, hear)
    },
    end: async () => {
      running.stdin.end()
      await ended
    },
  }
}

async function rest(
  lines: Interface,
  running: ChildProcessByStdio<Writable, Readable, null>,
  hear: Child["hear"],
) {
  if (!running.stdout.closed) await once(lines, "close")
  const messages: Record<string, unknown>[] = []
  for (let message = await hear(); message !== undefined; message = await hear()) messages.push(message)
  return messages
}
