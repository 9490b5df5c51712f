import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

/** A program that can be killed, stopped in its tracks, and started again. */
export interface Child {
  /** Resolves when it has printed a line that fits. @throws Error when it cannot be started, or ends before that */
  readonly start: () => Promise<RegExpMatchArray>
  /** Sends a signal and resolves with its exit code when it is gone. */
  readonly end: (signal: "SIGTERM" | "SIGKILL") => Promise<number | null>
  /** As if it had no processor any more: nothing runs, nothing is closed. */
  readonly freeze: () => void
  readonly thaw: () => void
  readonly isRunning: () => boolean
}

export interface Command {
  readonly program: string
  readonly args: () => readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly ready: RegExp
}

/** What runs now, of all programs. */
const alive = new Set<ChildProcess>()
// one that is stopped in its tracks hears of nothing else, and would be there for ever
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL")
})

export function child({ program, args, env, ready }: Command): Child {
  let running: ChildProcess | undefined

  const start = async (): Promise<RegExpMatchArray> => {
    const started = spawn(program, args(), { env: env ?? process.env, stdio: ["ignore", "pipe", "inherit"] })
    running = started
    alive.add(started)
    started.once("exit", () => alive.delete(started))
    const failed = new Promise<never>((_, reject) => started.once("error", reject))
    const line = (async () => {
      for await (const line of createInterface({ input: started.stdout })) {
        const match = line.match(ready)
        if (match !== null) return match
      }
      throw new Error(`${program} has ended before it was ready`)
    })()
    const match = await Promise.race([failed, line])
    // nobody reads on; a full pipe would stop it
    started.stdout.resume()
    return match
  }

  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    const ending = running
    if (ending === undefined) return 0
    running = undefined
    const exited = once(ending, "exit")
    ending.kill(signal)
    // a process that is stopped does not hear SIGTERM
    ending.kill("SIGCONT")
    await exited
    return ending.exitCode
  }

  return {
    start,
    end,
    freeze: () => running?.kill("SIGSTOP"),
    thaw: () => running?.kill("SIGCONT"),
    isRunning: () => running !== undefined,
  }
}
