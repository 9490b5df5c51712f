import { HoldfastError } from "../../protocol/error.ts"
import type { Checkpoints } from "./checkpoints.ts"
import type { LmdbLogSettings } from "./options.ts"

/** By how much the file may grow without a checkpoint: until then, no page that was freed since can be used again. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024

/** Decides when checkpoints are made: before each acknowledgement, or some time after. */
export class CheckpointKeeper {
  readonly #checkpoints: Checkpoints
  readonly #settings: LmdbLogSettings
  /** Whether something was committed since the last checkpoint began. */
  #isDue = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failure: HoldfastError | undefined

  constructor(checkpoints: Checkpoints, settings: LmdbLogSettings) {
    this.#checkpoints = checkpoints
    this.#settings = settings
  }

  /** Why nothing more can be promised: what is committed could not be synced, so memory and disk may differ. */
  get failure(): HoldfastError | undefined {
    return this.#failure
  }

  /** Something was committed. Resolves when it is kept as it has to be; undefined when that is so already. */
  keep(): Promise<void> | undefined {
    this.#isDue = true
    if (this.#settings.sync) return this.#make()
    if (this.#checkpoints.growth > GROWTH_BYTES_MAX) this.free()
    this.#timer ??= setTimeout(() => this.free(), this.#settings.checkpointIntervalMs).unref()
    return undefined
  }

  /** Makes a checkpoint if one is due, so that the pages of the one before can be used again. */
  free(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isDue && this.#running === undefined) this.#make().catch(this.#settings.onError)
  }

  probe(): void {
    this.#checkpoints.probe()
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#running?.catch(() => undefined)
    try {
      if (this.#failure === undefined) this.#checkpoints.makeNow("closed")
    } finally {
      this.#checkpoints.close()
    }
  }

  async #make(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    this.#isDue = false
    this.#running = this.#checkpoints.make()
    try {
      await this.#running
    } catch (error) {
      this.#isDue = true
      if (this.#settings.sync) throw this.#fail(error)
      throw error
    } finally {
      this.#running = undefined
    }
  }

  /** What was committed stands in the file or does not; what comes later is not even written. */
  #fail(error: unknown): HoldfastError {
    const why = error instanceof Error ? error.message : String(error)
    const text = `The log could not be synced and has to be opened again: ${why}`
    this.#failure = new HoldfastError("log_unavailable", `${text}. Nothing was published.`)
    return new HoldfastError("in_doubt", `${text}. Whether it was published is not known.`)
  }
}
