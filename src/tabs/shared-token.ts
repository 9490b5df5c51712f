import type { Hello } from "../protocol/message.ts"

/** Of how many tabs that are gone it is remembered with which token they came. */
const TOKENS_MAX = 100
/** So long before it expires, any tab's token is better than none, in ms. */
const LATE_RENEWAL_MS = 10_000

/**
 * The token that the server was shown for all tabs, and whose it is. That of another tab could be refused, and end the line for
 * all, so it is taken only when there is no other.
 */
export class SharedToken<Tab> {
  #owner: Tab | undefined
  #value: string | undefined
  /** With which tokens tabs came that are gone, by the sessions of their clients. */
  readonly #before = new Map<string, string>()

  get value(): string | undefined {
    return this.#value
  }

  /** Whose the token is, as long as that tab is there. */
  get owner(): Tab | undefined {
    return this.#owner
  }

  set(tab: Tab, token: string | undefined): void {
    this.#owner = tab
    this.#value = token
  }

  /** Whether a tab's own token is to be shown, while the one that was holds for so long. */
  takes(tab: Tab, restMs: number): boolean {
    return this.#owner === undefined || this.#owner === tab || restMs < LATE_RENEWAL_MS
  }

  /** Whether it is another than its client had when it was cut: it was told to come back with a fresh one. */
  isFresh({ session, token }: Hello): boolean {
    return this.#before.has(session) && this.#before.get(session) !== token
  }

  /** The tab is gone, which came with `hello`. Its token is remembered, for some tabs at least. */
  remove(tab: Tab, hello: Hello | undefined): void {
    if (this.#owner === tab) this.#owner = undefined
    if (hello?.token === undefined) return
    const [oldest] = this.#before.keys()
    if (oldest !== undefined && this.#before.size === TOKENS_MAX) this.#before.delete(oldest)
    this.#before.set(hello.session, hello.token)
  }
}
