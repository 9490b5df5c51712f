import type { Link } from "../ports/link.ts"

/**
 * The messages of a connection whose handlers have not finished. Work of one queue (a channel) is done in order, one at a time;
 * queues do not wait for each other. A connection with too much work is not read from.
 */
export class Inbox {
  readonly #link: Link
  readonly #pendingMax: number
  #pending = 0
  #full = false
  /** For how many reasons the peer is not read from. */
  #holds = 0
  #queues: Map<string, Promise<void>> | undefined

  constructor(link: Link, pendingMax: number) {
    this.#link = link
    this.#pendingMax = pendingMax
  }

  /** Whether the peer is not read from: then its silence means nothing. */
  get held(): boolean {
    return this.#holds > 0
  }

  /** Stops reading from the peer until as many `release` follow. */
  hold(): void {
    if (this.#holds++ === 0) this.#link.pause()
  }

  release(): void {
    if (--this.#holds === 0) this.#link.resume()
  }

  /** Runs `task` after what came before it in its queue, or at once when that is empty. `task` must not throw or reject. */
  run(queue: string, task: () => void | Promise<void>): void {
    const before = this.#queues?.get(queue)
    if (before === undefined) {
      const running = task()
      if (running !== undefined) this.#track(queue, running)
    } else {
      this.#track(queue, before.then(task))
    }
  }

  /** Counts `running`, which must not reject, as unfinished work that nothing waits for. */
  count(running: Promise<void>): void {
    this.#begin()
    void running.then(() => this.#finish())
  }

  /** Runs `task` beside everything else. `task` must not throw or reject. */
  runBeside(task: () => void | Promise<void>): void {
    const running = task()
    if (running !== undefined) this.count(running)
  }

  #track(queue: string, running: Promise<void>): void {
    this.#begin()
    this.#queues ??= new Map()
    const done: Promise<void> = running.then(() => {
      if (this.#queues?.get(queue) === done) this.#queues.delete(queue)
      // an idle connection keeps nothing
      if (this.#queues?.size === 0) this.#queues = undefined
      this.#finish()
    })
    this.#queues.set(queue, done)
  }

  #begin(): void {
    this.#pending++
    if (this.#full || this.#pending < this.#pendingMax) return
    this.#full = true
    this.hold()
  }

  #finish(): void {
    this.#pending--
    if (!this.#full || this.#pending > this.#pendingMax / 2) return
    this.#full = false
    this.release()
  }
}
