import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

type Commands<C> = { [K in keyof C]: (argument: never) => unknown }
type Argument<F> = F extends (argument: infer A) => unknown ? A : never
type Answer<F> = F extends (...none: never[]) => infer R ? Awaited<R> : never

/** What answers the commands, in the process itself: it may take its time. */
type Handlers<C> = { [K in keyof C]: (argument: Argument<C[K]>) => Answer<C[K]> | Promise<Answer<C[K]>> }

interface Question {
  readonly command: string
  readonly argument: unknown
}
type Reply = { readonly answer: unknown } | { readonly error: string }

/** A process of its own that is asked one thing at a time. */
export class Worker<C extends Commands<C>> {
  readonly #child: ChildProcess
  readonly #name: string

  /** @param file beside this one */
  constructor(file: string, nodeOptions: readonly string[] = []) {
    this.#name = file
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      execArgv: [...process.execArgv, ...nodeOptions],
      // Typed arrays travel as they are.
      serialization: "advanced",
    })
  }

  /** @throws Error when the command fails, the process ends, or there is no answer within the deadline. */
  ask<K extends keyof C & string>(
    command: K,
    argument: Argument<C[K]>,
    deadlineMs = 60_000,
  ): Promise<Answer<C[K]>> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(deadline)
        this.#child.off("message", onMessage)
        this.#child.off("exit", onExit)
        settle()
      }
      const fail = (text: string) => end(() => reject(new Error(`${this.#name} ${command}: ${text}`)))
      const onMessage = (reply: Reply) =>
        "error" in reply ? fail(reply.error) : end(() => resolve(reply.answer as Answer<C[K]>))
      const onExit = (code: number | null) => fail(`the process ended (${code ?? "by a signal"})`)
      const deadline = setTimeout(() => fail(`no answer within ${deadlineMs} ms`), deadlineMs)
      this.#child.on("message", onMessage)
      this.#child.on("exit", onExit)
      this.#child.send({ command, argument } satisfies Question)
    })
  }

  /** Lets the process end by itself, so that a profile of it is written. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once("exit", resolve))
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), 20_000)
    this.#child.disconnect()
    await ended
    clearTimeout(patience)
  }
}

/** The other side: answers what the parent asks, and ends when the parent lets go. */
export function serve<C extends Commands<C>>(handlers: Handlers<C>): void {
  process.on("disconnect", () => process.exit())
  process.on("message", async ({ command, argument }: Question) => {
    const handler = handlers[command as keyof C] as (argument: unknown) => unknown
    process.send?.(await answer(handler, argument))
  })
}

async function answer(run: (argument: unknown) => unknown, argument: unknown): Promise<Reply> {
  try {
    return { answer: await run(argument) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
