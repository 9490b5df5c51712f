import type { Log } from "../../../src/log/log.ts"
import { memoryLog } from "../../../src/logs/memory/index.ts"
import { allOf, type BrokenLog, type BrokenLogs, broken, soundLog } from "./broken.ts"

/** A log that begins each life of a channel from nothing, once `isOver` says that one has ended. */
function reborn(foundBy: string, isOver: (log: Log, channel: string) => Promise<boolean>): BrokenLog {
  const make = () => {
    const { now, ...sound } = soundLog()
    const lives = new Map<string, Log>()
    const life = (channel: string) => lives.get(channel) ?? sound.log
    const log: Log = {
      append: (channel, ...rest) => life(channel).append(channel, ...rest),
      head: (channel) => life(channel).head(channel),
      read: (channel, range) => life(channel).read(channel, range),
      readBack: (channel, range) => life(channel).readBack(channel, range),
      find: (channel, ...rest) => life(channel).find(channel, ...rest),
      offsetOfLast: (channel, ...rest) => life(channel).offsetOfLast(channel, ...rest),
      watch: (channel, listener) => life(channel).watch(channel, listener),
      trim: async (channel, ...rest) => {
        const { epoch } = await life(channel).head(channel)
        await life(channel).trim(channel, ...rest)
        if (await isOver(life(channel), channel)) lives.set(channel, memoryLog({ epoch, now }))
      },
      close: () => sound.log.close(),
    }
    return { ...sound, log }
  }
  return { foundBy, make }
}

export const brokenForgetting: BrokenLogs = {
  "gives offsets again when a channel was forgotten": reborn(
    "no offset is ever given twice, even if all entries are gone",
    async (log, channel) => (await log.head(channel)).base > 0,
  ),
  "forgets a channel whose idempotency keys are remembered": reborn(
    "a channel with a remembered idempotency key is not forgotten",
    async (log, channel) => (await allOf(log, channel)).length === 0,
  ),
  "forgets a channel whose removals are remembered": reborn(
    "a channel with a remembered removal is not forgotten",
    async (log, channel) => {
      const { top } = await log.head(channel)
      const entries = await allOf(log, channel)
      return top > 0 && entries.every(({ operation }) => operation === "remove")
    },
  ),
  "never forgets a channel": broken("a channel in which all has outlived its time is forgotten", (log) => {
    const tops = new Map<string, number>()
    return {
      head: async (channel) => {
        const head = await log.head(channel)
        if (head.base === 0) tops.set(channel, head.top)
        return { ...head, base: 0, top: head.top > head.base ? head.top : (tops.get(channel) ?? 0) }
      },
    }
  }),
  "gives up the base when a channel is used again": broken(
    "a cursor from before has missed what a forgotten channel had",
    (log) => ({
      head: async (channel) => {
        const head = await log.head(channel)
        return head.top > head.base ? { ...head, base: 0 } : head
      },
    }),
  ),
  "raises the base of all channels with one": broken("channels are forgotten one by one", (log) => {
    let highest = 0
    return {
      head: async (channel) => {
        const head = await log.head(channel)
        return { ...head, base: Math.min(head.top, Math.max(head.base, highest)) }
      },
      trim: async (channel, ...rest) => {
        const { top } = await log.head(channel)
        await log.trim(channel, ...rest)
        const after = await log.head(channel)
        if (after.top === after.base) highest = Math.max(highest, top)
      },
    }
  }),
  "has the base of the channel that was forgotten last": broken(
    "channels are forgotten one by one",
    (log) => {
      let last = 0
      return {
        head: async (channel) => {
          const head = await log.head(channel)
          return head.top > head.base ? head : { ...head, top: last, base: last }
        },
        trim: async (channel, ...rest) => {
          const { top } = await log.head(channel)
          await log.trim(channel, ...rest)
          const after = await log.head(channel)
          if (after.top === after.base) last = top
        },
      }
    },
  ),
  "keeps the floors of a forgotten channel": broken(
    "a channel in which all has outlived its time is forgotten",
    (log) => {
      const lost = new Set<string>()
      return {
        head: async (channel) => {
          const head = await log.head(channel)
          if (head.base > 0) lost.add(channel)
          return lost.has(channel) ? { ...head, floors: { facts: head.base, ...head.floors } } : head
        },
      }
    },
  ),
}
