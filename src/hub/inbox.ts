import type { Link } from "./link.ts"

/**
 * What a connection has sent and whose handlers have not finished. Work of one lane (a channel) is done in order, one at
 * a time; different lanes do not wait for each other. A connection with too much of it is not read from.
 */
export class Inbox {
  readonly #link: Link
  readonly #pendingMax: number
  #pending = 0
  #paused = false
  #lanes: Map<string, Promise<void>> | undefined

  constructor(link: Link, pendingMax: number) {
    this.#link = link
    this.#pendingMax = pendingMax
  }

  /** Runs `task` after what came before it in its lane; at once when nothing did. `task` must not throw or reject. */
  run(lane: string, task: () => void | Promise<void>): void {
    const before = this.#lanes?.get(lane)
    if (before === undefined) {
      const running = task()
      if (running !== undefined) this.#track(lane, running)
    } else {
      this.#track(lane, before.then(task))
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

  #track(lane: string, running: Promise<void>): void {
    this.#begin()
    this.#lanes ??= new Map()
    const done: Promise<void> = running.then(() => {
      if (this.#lanes?.get(lane) === done) this.#lanes.delete(lane)
      this.#finish()
    })
    this.#lanes.set(lane, done)
  }

  #begin(): void {
    this.#pending++
    if (this.#paused || this.#pending < this.#pendingMax) return
    this.#paused = true
    this.#link.pause()
  }

  #finish(): void {
    this.#pending--
    if (!this.#paused || this.#pending > this.#pendingMax / 2) return
    this.#paused = false
    this.#link.resume()
  }
}
