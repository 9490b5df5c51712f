import type { WebSocketLink } from "./link.ts"

/** The open links of a hub. */
export class Links {
  readonly #links = new Set<WebSocketLink<unknown>>()
  #whenNone: (() => void)[] = []
  #closing = false

  /** No more links are taken. */
  get closing(): boolean {
    return this.#closing
  }

  get size(): number {
    return this.#links.size
  }

  add(link: WebSocketLink<unknown>): void {
    this.#links.add(link)
  }

  delete(link: WebSocketLink<unknown>): void {
    this.#links.delete(link)
    if (this.#links.size > 0) return
    for (const resolve of this.#whenNone.splice(0)) resolve()
  }

  /** From now on new links are refused. */
  refuseMore(): void {
    this.#closing = true
  }

  /** Closes all that are still open, in an orderly way. Each cuts its line when its peer does not answer in time. */
  close(code: number, reason: string): void {
    for (const link of this.#links) link.close(code, reason)
  }

  destroy(): void {
    for (const link of this.#links) link.destroy()
  }

  /** Resolves when the last link is gone. */
  async gone(): Promise<void> {
    if (this.#links.size === 0) return
    await new Promise<void>((resolve) => this.#whenNone.push(resolve))
  }
}
