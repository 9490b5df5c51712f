import type { ClientMessage, Failure, Result } from "../protocol/message.ts"

/** A message that is answered. */
export type Request = Extract<ClientMessage, { readonly id: number }>

/** Whose request it was, and what it was for. */
export interface Asker<Tab> {
  readonly tab: Tab
  /** As the tab has numbered it. */
  readonly request: Request
}

/** The requests of all tabs under numbers of their own, and who asked. */
export class SharedRequests<Tab> {
  readonly #askers = new Map<number, Asker<Tab>>()
  /** Who sent signals on a channel last: a refusal of one names only that. */
  readonly #signallers = new Map<string, Tab>()
  #lastId = 0

  /** What to send for a request. Without a tab, nobody is told the answer. */
  number(request: Request, tab?: Tab): Request {
    const id = ++this.#lastId
    if (tab !== undefined) this.#askers.set(id, { tab, request })
    return { ...request, id }
  }

  handleSignal(tab: Tab, channel: string): void {
    this.#signallers.set(channel, tab)
  }

  /** The tab is gone. What it asked for is still answered, to nobody. */
  remove(tab: Tab): void {
    for (const [channel, signaller] of this.#signallers) {
      if (signaller === tab) this.#signallers.delete(channel)
    }
  }

  /** Whose request this answers. */
  take({ id = 0 }: Result | Failure): Asker<Tab> | undefined {
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    return asker
  }

  /** Whom the refusal of a message without a number may be about. */
  signaller({ channel = "" }: Failure): Tab | undefined {
    return this.#signallers.get(channel)
  }
}
