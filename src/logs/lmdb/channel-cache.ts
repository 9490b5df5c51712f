/**
 * Keeps the channels that were used lately. Two generations: what is used moves to the young one; when that is full, the
 * old one is dropped and the young one becomes the old one.
 */
export class ChannelCache<Channel> {
  readonly #generationMax: number
  #young = new Map<string, Channel>()
  #old = new Map<string, Channel>()

  /** Holds at most `channelsMax`, and at least the half of it that was used last. */
  constructor(channelsMax: number) {
    this.#generationMax = Math.max(1, Math.floor(channelsMax / 2))
  }

  get(name: string): Channel | undefined {
    const channel = this.#young.get(name)
    if (channel !== undefined) return channel
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  /** The same, without that it counts as a use. */
  peek(name: string): Channel | undefined {
    return this.#young.get(name) ?? this.#old.get(name)
  }

  set(name: string, channel: Channel): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, channel)
  }

  delete(name: string): void {
    this.#young.delete(name)
    this.#old.delete(name)
  }
}
