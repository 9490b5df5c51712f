import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** A node in a process of its own, always at the same port. */
export class ClusterNode {
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #port = 0

  /** Ends the node with the test. */
  constructor(redisUrl: string, prefix: string) {
    this.#args = [redisUrl, prefix]
    onTestFinished(() => void this.#child?.kill("SIGKILL"))
  }

  get port(): number {
    return this.#port
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const script = "test/server/support/cluster-node.ts"
    const child = spawn(process.execPath, ["--import", "tsx", script, ...this.#args, `${this.#port}`], {
      cwd: root,
      env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` },
      stdio: ["ignore", "pipe", "inherit"],
    })
    this.#child = child
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port] = line.match(/^listening at (\d+)$/) ?? []
      if (port === undefined) continue
      this.#port = Number(port)
      return
    }
    throw new Error("the node has ended before it listened")
  }

  /** Sends SIGTERM. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child as ChildProcess
    const exited = once(child, "exit")
    child.kill("SIGTERM")
    await exited
    return child.exitCode
  }
}
