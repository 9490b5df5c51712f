import type { Batch } from "../log/log.ts"

export type Watcher = (batch: Batch) => void

interface Registration {
  readonly watcher: Watcher
  active: boolean
}

/** Those who are told of a log's appends, within this process. */
export class Watchers {
  readonly #onError: (error: unknown) => void
  /** Arrays are replaced, never changed, so whoever tells a batch tells those who were there when it was appended. */
  readonly #byChannel = new Map<string, readonly Registration[]>()
  /** Batches that were appended by watchers while these were being told: each watcher gets them in order. */
  readonly #queue: { readonly batch: Batch; readonly registrations: readonly Registration[] }[] = []
  #telling = false

  /** `onError` is told what a watcher threw; the append and the other watchers are not concerned by it. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  has(channel: string): boolean {
    return this.#byChannel.has(channel)
  }

  add(channel: string, watcher: Watcher): () => void {
    const registration = { watcher, active: true }
    this.#byChannel.set(channel, [...(this.#byChannel.get(channel) ?? []), registration])
    return () => {
      if (!registration.active) return
      registration.active = false
      const others = this.#byChannel.get(channel)?.filter((other) => other !== registration) ?? []
      if (others.length > 0) this.#byChannel.set(channel, others)
      else this.#byChannel.delete(channel)
    }
  }

  /** Tells a batch before it returns, or, when called by a watcher, as soon as all watchers know the batches before. */
  tell(channel: string, batch: Batch): void {
    const registrations = this.#byChannel.get(channel)
    if (registrations === undefined) return
    this.#queue.push({ batch, registrations })
    if (this.#telling) return
    this.#telling = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const registration of next.registrations) this.#tellOne(registration, next.batch)
    }
    this.#telling = false
  }

  clear(): void {
    for (const registrations of this.#byChannel.values()) {
      for (const registration of registrations) registration.active = false
    }
    this.#byChannel.clear()
  }

  #tellOne(registration: Registration, batch: Batch): void {
    if (!registration.active) return
    try {
      registration.watcher(batch)
    } catch (error) {
      this.#onError(error)
    }
  }
}
