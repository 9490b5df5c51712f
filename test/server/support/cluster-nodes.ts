import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { onTestFinished } from "vitest"
import { listeningAt, spawnTsx } from "../../support/tsx-process.ts"

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
    const child = spawnTsx("test/server/support/cluster-node.ts", [...this.#args, `${this.#port}`])
    this.#child = child
    this.#port = Number(await listeningAt(child))
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
