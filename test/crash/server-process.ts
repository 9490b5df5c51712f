import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { onTestFinished } from "vitest"
import { listeningAt, spawnTsx } from "../support/tsx-process.ts"

export type Defect = "acknowledges early"

/** A server that always is in the same folder and, from its first start on, at the same port. */
export class ServerProcess {
  readonly #folder: string
  readonly #defect: Defect | undefined
  #child: ChildProcess | undefined
  #port = 0

  /** Ends the server with the test. */
  constructor(folder: string, defect?: Defect) {
    this.#folder = folder
    this.#defect = defect
    onTestFinished(() => void this.#child?.kill("SIGKILL"))
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const args = [this.#folder, String(this.#port), ...(this.#defect === undefined ? [] : [this.#defect])]
    const child = spawnTsx("test/crash/server.ts", args)
    this.#child = child
    this.#port = Number(await listeningAt(child))
  }

  /** `kill -9`, from one instruction to the next. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** Asks it to stop. @throws Error when it does not do so in an orderly way. */
  async stop(): Promise<void> {
    const code = await this.#end("SIGTERM")
    if (code !== 0) throw new Error(`the server stopped with ${code}`)
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined) throw new Error("the server does not run")
    this.#child = undefined
    const exited = once(child, "exit")
    child.kill(signal)
    await exited
    return child.exitCode
  }
}
