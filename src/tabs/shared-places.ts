/** Who of the tabs is in a channel, and with what. */
interface Place<Tab> {
  readonly tab: Tab
  readonly data: unknown
}

export interface PlacesPorts {
  readonly enter: (channel: string, data: unknown) => void
  readonly leave: (channel: string) => void
}

/**
 * The presence that tabs share: they are one member, which is in a channel as long as one of them is, with the data of the
 * one that came last.
 */
export class SharedPlaces<Tab> {
  readonly #ports: PlacesPorts
  readonly #places = new Map<string, Place<Tab>[]>()

  constructor(ports: PlacesPorts) {
    this.#ports = ports
  }

  /** The tab enters, as it tells the server itself. */
  enter(channel: string, tab: Tab, data: unknown): void {
    this.#places.set(channel, [...this.#others(channel, tab), { tab, data }])
  }

  /** Whether the server has to be told, by the tab itself: nobody else is there. */
  leave(channel: string, tab: Tab): boolean {
    const before = this.#places.get(channel)?.at(-1)
    const others = this.#others(channel, tab)
    this.#places.set(channel, others)
    const last = others.at(-1)
    if (last === undefined) {
      this.#places.delete(channel)
      return true
    }
    if (before !== last) this.#ports.enter(channel, last.data)
    return false
  }

  /** The tab is gone. */
  remove(tab: Tab): void {
    for (const channel of this.channelsOf(tab)) if (this.leave(channel, tab)) this.#ports.leave(channel)
  }

  /** Whether it is in, and if so, with what. */
  find(channel: string): { readonly data: unknown } | undefined {
    return this.#places.get(channel)?.at(-1)
  }

  /** All tabs are out, by the server's wish. */
  clear(channel: string): void {
    this.#places.delete(channel)
  }

  /** What the member is in, and with what. */
  all(): { readonly channel: string; readonly data: unknown }[] {
    return [...this.#places].map(([channel, places]) => ({ channel, data: places.at(-1)?.data }))
  }

  channelsOf(tab: Tab): string[] {
    const entered = [...this.#places].filter(([, places]) => places.some((place) => place.tab === tab))
    return entered.map(([channel]) => channel)
  }

  #others(channel: string, tab: Tab): Place<Tab>[] {
    return (this.#places.get(channel) ?? []).filter((place) => place.tab !== tab)
  }
}
