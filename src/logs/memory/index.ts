import type { Appended, AppendOptions, Draft, Entry, Head, Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { chosenOptions } from "../chosen-options.ts"
import { Watchers } from "../watchers.ts"
import { DedupeTable } from "./dedupe-table.ts"
import { MemoryChannel } from "./memory-channel.ts"

export interface MemoryLogOptions {
  /** Names this life of the log. Default: a random name. */
  readonly epoch?: string
  /** Channels that were ever appended to; beyond, the first append to another is refused with `log_full`. */
  readonly channelsMax?: number
  /** Keys with a value in one channel, members included; beyond, another key is refused with `log_full`. */
  readonly keysPerChannelMax?: number
  /** Deleted keys that one channel remembers, or as many as it has values if these are more. Beyond, the floor rises. */
  readonly tombstonesPerChannelMax?: number
  /** Idempotency keys that one channel remembers; beyond, the oldest is forgotten before its time. */
  readonly dedupeKeysPerChannelMax?: number
  /** Is told what a watcher throws. Default: `console.error`. */
  readonly onWatcherError?: (error: unknown) => void
}

/** The memory log's limits unless its options say otherwise. */
export const memoryLogDefaults = {
  channelsMax: 1_000_000,
  keysPerChannelMax: 100_000,
  tombstonesPerChannelMax: 10_000,
  dedupeKeysPerChannelMax: 100_000,
} as const

type MemoryLogLimits = Record<keyof typeof memoryLogDefaults, number>

interface Slot {
  readonly channel: MemoryChannel
  dedupe?: DedupeTable
}

/**
 * A log in this process's memory: it ends with the process, and the next one has another epoch. Bodies are kept as they
 * are handed in, not copied, so they must not be changed afterwards.
 */
export function memoryLog(options: MemoryLogOptions = {}): Log {
  const { epoch = randomEpoch(), onWatcherError = (error) => console.error(error), ...given } = options
  const limits = chosenOptions<MemoryLogLimits>("memoryLog", memoryLogDefaults, given)
  const slots = new Map<string, Slot>()
  const watchers = new Watchers(onWatcherError)
  let sweep = slots.values()
  let closed = false

  const headOf = (slot: Slot | undefined): Head => ({
    epoch,
    top: slot?.channel.top ?? 0,
    floor: slot?.channel.floor ?? 0,
  })

  /** Also for channels that nobody publishes to any more, idempotency keys have to go: each append looks after one. */
  function sweepOne(nowMs: number): void {
    let next = sweep.next()
    if (next.done === true) {
      sweep = slots.values()
      next = sweep.next()
    }
    if (next.done !== true) next.value.dedupe?.forget(nowMs)
  }

  function slotFor(name: string): Slot {
    const existing = slots.get(name)
    if (existing !== undefined) return existing
    if (slots.size >= limits.channelsMax)
      throw full("has as many channels as it may have", limits.channelsMax)
    const slot: Slot = { channel: new MemoryChannel(limits.tombstonesPerChannelMax) }
    slots.set(name, slot)
    return slot
  }

  function appendNow(name: string, draft: Draft, options: AppendOptions): Appended {
    const { dedupe } = options
    const duplicate = dedupe && slots.get(name)?.dedupe?.find(dedupe, draft.at)
    if (duplicate !== undefined) return { position: { epoch, offset: duplicate }, duplicate: true }
    const slot = slotFor(name)
    if (options.replaces !== undefined) {
      const latest = slot.channel.latest(draft)?.offset ?? 0
      if (latest !== options.replaces) return { position: { epoch, offset: latest }, duplicate: true }
    }
    if (slot.channel.size >= limits.keysPerChannelMax && slot.channel.addsKey(draft)) {
      throw full("has as many keys in this channel as one may have", limits.keysPerChannelMax)
    }
    const after = slot.channel.top
    const entry: Entry = slot.channel.append(draft, options.keep)
    if (dedupe !== undefined) {
      slot.dedupe ??= new DedupeTable(limits.dedupeKeysPerChannelMax)
      slot.dedupe.add(dedupe, entry.offset, draft.at)
    }
    sweepOne(draft.at)
    watchers.tell(name, { epoch, after, entries: [entry] })
    return { position: { epoch, offset: entry.offset }, duplicate: false }
  }

  function assertOpen(): void {
    if (closed) throw new HoldfastError("closed", "The log was closed.")
  }

  return {
    async append(channel, draft, options) {
      assertOpen()
      return appendNow(channel, draft, options)
    },
    async head(channel) {
      assertOpen()
      return headOf(slots.get(channel))
    },
    async read(channel, range) {
      assertOpen()
      const slot = slots.get(channel)
      const found = slot?.channel.read(range) ?? { entries: [], next: range.after }
      return { head: headOf(slot), ...found }
    },
    async offsetOfLast(channel, count) {
      assertOpen()
      return slots.get(channel)?.channel.offsetOfLast(count) ?? 0
    },
    async watch(channel, listener) {
      assertOpen()
      return watchers.add(channel, listener)
    },
    async trim(channel, keep, nowMs) {
      assertOpen()
      const slot = slots.get(channel)
      slot?.channel.trim(keep, nowMs)
      slot?.dedupe?.forget(nowMs)
    },
    async close() {
      closed = true
      slots.clear()
      watchers.clear()
    },
  }
}

function full(what: string, limit: number): HoldfastError {
  return new HoldfastError("log_full", `The log ${what}. Nothing was published.`, { limit })
}

/** 128 bits, in characters that need no escaping anywhere. */
function randomEpoch(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
