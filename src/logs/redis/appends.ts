import type { AppendOptions, Operation, Outcome } from "../../log/operation.ts"
import type { HoldfastError } from "../../protocol/error.ts"
import type { ChannelStore } from "./channel-store.ts"
import type { Connection } from "./connection.ts"
import { unavailable } from "./failure.ts"
import type { Place } from "./keys.ts"
import { Lane } from "./lane.ts"
import type { RedisLogSettings } from "./options.ts"
import { settled } from "./outcomes.ts"

/** How often it is looked whether an append has waited for too long. */
const SWEEP_MS = 100

/** The appends that wait for their answer, over all channels. */
export class Appends {
  readonly #store: ChannelStore
  readonly #connection: Connection
  readonly #settings: RedisLogSettings
  readonly #lanes = new Map<string, Lane>()
  #number = 0
  #pending = 0
  #pendingBytes = 0
  #sweep: NodeJS.Timeout | undefined
  #handleEmpty: () => void = () => {}

  constructor(store: ChannelStore, connection: Connection, settings: RedisLogSettings) {
    this.#store = store
    this.#connection = connection
    this.#settings = settings
  }

  async append(
    channel: string,
    place: Place,
    operation: Operation,
    options: AppendOptions,
  ): Promise<Outcome> {
    const { pendingAppendsMax, pendingBytesMax } = this.#settings
    const { byteLength } = operation.body
    if (this.#pending >= pendingAppendsMax)
      throw unavailable(`${pendingAppendsMax} appends wait for Redis already (pendingAppendsMax)`)
    if (this.#pending > 0 && this.#pendingBytes + byteLength > pendingBytesMax)
      throw unavailable(`Appends with ${pendingBytesMax} bytes wait for Redis already (pendingBytesMax)`)
    this.#pending++
    this.#pendingBytes += byteLength
    try {
      return await this.#laneOf(channel, place).append(operation, options)
    } finally {
      this.#pending--
      this.#pendingBytes -= byteLength
      if (this.#pending === 0) this.#handleEmpty()
    }
  }

  /** Resolves when nothing waits any more. A Redis that cannot be reached is not waited for. */
  async drained(): Promise<void> {
    if (this.#pending === 0) return
    const giveUp = (failure: HoldfastError | undefined) => {
      if (failure === undefined || this.#connection.isNew) return
      for (const lane of this.#lanes.values()) lane.handleTime(Number.POSITIVE_INFINITY)
    }
    const empty = new Promise<void>((resolve) => (this.#handleEmpty = resolve))
    const stop = this.#connection.reachability.watch(giveUp)
    await empty
    stop()
  }

  #laneOf(channel: string, place: Place): Lane {
    const known = this.#lanes.get(channel)
    if (known !== undefined) return known
    const lane = new Lane({
      write: (batch, handleSent) =>
        this.#store.write(place, batch, Date.now() + this.#settings.waitMs, handleSent),
      settled: (outcome, epoch, options) => settled(outcome, epoch, options, this.#settings),
      nextNumber: () => ++this.#number,
      waitMs: this.#settings.waitMs,
      reason: () => this.#connection.failure,
      handleIdle: () => this.#remove(channel),
    })
    this.#lanes.set(channel, lane)
    this.#sweep ??= setInterval(() => {
      for (const each of this.#lanes.values()) each.handleTime(Date.now())
    }, SWEEP_MS)
    return lane
  }

  #remove(channel: string): void {
    this.#lanes.delete(channel)
    if (this.#lanes.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
