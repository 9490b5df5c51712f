import type { Head, Log } from "../../log/log.ts"
import type { AppendOptions, Operation, Outcome } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { chosenOptions } from "../chosen-options.ts"
import { Watchers } from "../watchers.ts"
import { Forgotten } from "./forgotten.ts"
import { MemoryChannel } from "./memory-channel.ts"

export interface MemoryLogOptions {
  /** Names this life of the log. Default: a random name. */
  readonly epoch?: string | undefined
  /** Channels that have something in them; beyond, the first append to another is refused with `log_full`. */
  readonly channelsMax?: number | undefined
  /** Keys with a value in one collection, such as a state or the presence of a channel; beyond, another key is refused with `log_full`. */
  readonly keysPerCollectionMax?: number | undefined
  /** Removed keys that one collection remembers, or as many as it has values if these are more. Beyond, its floor rises. */
  readonly tombstonesPerCollectionMax?: number | undefined
  /** Idempotency keys that one channel remembers; beyond, what brings another is refused with `log_full`. */
  readonly idempotencyKeysPerChannelMax?: number | undefined
  /** The clock of leases, ms since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined
  /** Is called with what a watcher throws. Default: `console.error`. */
  readonly onWatcherError?: ((error: unknown) => void) | undefined
}

/** The memory log's limits unless its options say otherwise. */
export const memoryLogDefaults = {
  channelsMax: 1_000_000,
  keysPerCollectionMax: 100_000,
  tombstonesPerCollectionMax: 10_000,
  idempotencyKeysPerChannelMax: 1_000_000,
} as const

type MemoryLogLimits = Record<keyof typeof memoryLogDefaults, number>

/**
 * A log in this process's memory: it ends with the process, and the next one has another epoch. Bodies are kept as they
 * are handed in, not copied, so they must not be changed afterwards.
 */
export function memoryLog(options: MemoryLogOptions = {}): Log {
  const { epoch = randomEpoch(), now = Date.now, onWatcherError = console.error, ...given } = options
  const limits = chosenOptions<MemoryLogLimits>("memoryLog", memoryLogDefaults, given)
  const channels = new Map<string, MemoryChannel>()
  const watchers = new Watchers(onWatcherError)
  const forgotten = new Forgotten()
  let sweep = channels.entries()
  let closed = false

  const headOf = (name: string): Head => {
    const channel = channels.get(name)
    const { top, base, floors } = channel ?? {
      top: forgotten.top(name),
      base: forgotten.top(name),
      floors: {},
    }
    return { epoch, top, base, floors }
  }

  /** A channel in which nothing is left costs nothing, unless it is watched: then its watchers stand at its top. */
  function forgetIfEmpty(name: string, channel: MemoryChannel): void {
    if (!channel.isEmpty || watchers.has(name)) return
    channels.delete(name)
    forgotten.add(name, channel.top)
  }

  /** Each append tidies one channel, so that those without appends are forgotten too. */
  function sweepOne(nowMs: number): void {
    let next = sweep.next()
    if (next.done === true) {
      sweep = channels.entries()
      next = sweep.next()
    }
    if (next.done === true) return
    const [name, channel] = next.value
    channel.tidy(nowMs)
    forgetIfEmpty(name, channel)
  }

  function openChannel(name: string): MemoryChannel {
    const existing = channels.get(name)
    if (existing !== undefined) return existing
    if (channels.size >= limits.channelsMax) {
      throw new HoldfastError(
        "log_full",
        "The log has as many channels as it may have. Nothing was published.",
        {
          limit: limits.channelsMax,
        },
      )
    }
    const channel = new MemoryChannel(forgotten.top(name), limits)
    channels.set(name, channel)
    return channel
  }

  function appendNow(name: string, operation: Operation, options: AppendOptions): Outcome {
    const channel = openChannel(name)
    const after = channel.top
    const { status, offset, version, entry } = channel.append(operation, options, now())
    sweepOne(operation.at)
    if (entry !== undefined) watchers.tell(name, { epoch, after, entries: [entry] })
    const position = { epoch, offset }
    return version === undefined ? { status, position } : { status, position, version }
  }

  function assertOpen(): void {
    if (closed) throw new HoldfastError("closed", "The log was closed.")
  }

  return {
    async append(channel, operation, options) {
      assertOpen()
      return appendNow(channel, operation, options)
    },
    async head(channel) {
      assertOpen()
      return headOf(channel)
    },
    async read(name, range) {
      assertOpen()
      const channel = channels.get(name)
      const { entries, next } = channel?.read(range) ?? {
        entries: [],
        next: Math.max(range.after, Math.min(range.through, forgotten.top(name))),
      }
      return { head: headOf(name), entries, next }
    },
    async readBack(name, range) {
      assertOpen()
      const channel = channels.get(name)
      return { head: headOf(name), ...(channel?.readBack(range) ?? { entries: [], before: undefined }) }
    },
    async find(channel, collection, key) {
      assertOpen()
      return channels.get(channel)?.find(collection, key)
    },
    async offsetOfLast(channel, collection, count) {
      assertOpen()
      return channels.get(channel)?.offsetOfLast(collection, count) ?? forgotten.top(channel)
    },
    async watch(name, listener) {
      assertOpen()
      const unwatch = watchers.add(name, listener)
      // a watcher of an empty channel stands at its top, which must not rise when others are forgotten
      openChannel(name)
      return () => {
        unwatch()
        const channel = channels.get(name)
        if (channel !== undefined) forgetIfEmpty(name, channel)
      }
    },
    async trim(name, retention, nowMs) {
      assertOpen()
      const channel = channels.get(name)
      if (channel === undefined) return
      channel.trim(retention, nowMs)
      forgetIfEmpty(name, channel)
    },
    async close() {
      closed = true
      channels.clear()
      watchers.clear()
    },
  }
}

/** 128 bits, in characters that need no escaping anywhere. */
function randomEpoch(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
