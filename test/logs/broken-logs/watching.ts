import type { Batch } from "../../../src/log/log.ts"
import { type BrokenLogs, batchesOf, broken, brokenAtOnce } from "./broken.ts"

export const brokenWatches: BrokenLogs = {
  "names the wrong predecessor": broken("a watcher receives what is appended, in order and chained", (log) =>
    batchesOf(log, (batch) => [{ ...batch, after: 0 }]),
  ),
  "delivers in another order": broken(
    "a watcher that throws hinders neither the append nor the others",
    (log) => {
      const held: Batch[] = []
      return batchesOf(log, (batch) => {
        held.push(batch)
        return held.length < 2 ? [] : held.splice(0).reverse()
      })
    },
  ),
  "delivers twice": broken("a watcher receives what is appended, in order and chained", (log) =>
    batchesOf(log, (batch) => [batch, batch]),
  ),
  "delivers facts only": broken("an entry arrives even if it is superseded or trimmed at once", (log) =>
    batchesOf(log, (batch) => (batch.entries[0]?.operation === "append" ? [batch] : [])),
  ),
  "delivers no pieces": broken("an extend arrives as the piece that was added", (log) =>
    batchesOf(log, (batch) => (batch.entries[0]?.operation === "extend" ? [] : [batch])),
  ),
  "delivers batches of another epoch": broken(
    "a watcher receives what is appended, in order and chained",
    (log) => batchesOf(log, (batch) => [{ ...batch, epoch: `not ${batch.epoch}` }]),
  ),
  "delivers to those that have stopped": broken(
    "a watcher that has stopped receives nothing, and the others go on",
    (log) => ({
      watch: async (channel, listener) => {
        await log.watch(channel, listener)
        return () => undefined
      },
    }),
  ),
  "delivers what appends no entry": broken("what appends no entry does not arrive", (log) => {
    const listeners: ((batch: Batch) => void)[] = []
    return {
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, options)
        const { epoch, offset } = outcome.position
        const entry = {
          created: offset,
          version: 0,
          holder: "",
          ...operation,
          key: operation.key ?? "",
          offset,
        }
        if (outcome.status === "duplicate" || outcome.status === "unchanged") {
          for (const listener of listeners) listener({ epoch, after: offset - 1, entries: [entry] })
        }
        return outcome
      },
      watch: (channel, listener) => {
        listeners.push(listener)
        return log.watch(channel, listener)
      },
    }
  }),
  "delivers before the entry is there": brokenAtOnce("what arrives can be read", (log) => {
    const listeners: ((batch: Batch) => void)[] = []
    return {
      append: async (channel, operation, options) => {
        const { epoch, top } = await log.head(channel)
        const offset = top + 1
        const entry = {
          created: offset,
          version: 0,
          holder: "",
          ...operation,
          key: operation.key ?? "",
          offset,
        }
        for (const listener of listeners) listener({ epoch, after: top, entries: [entry] })
        await undefined
        return log.append(channel, operation, options)
      },
      watch: async (_, listener) => {
        listeners.push(listener)
        return () => undefined
      },
    }
  }),
  "lets a watcher break an append": broken(
    "a watcher that throws hinders neither the append nor the others",
    (log) => {
      const failures: unknown[] = []
      return {
        append: async (...args) => {
          const outcome = await log.append(...args)
          if (failures.length > 0) throw failures.pop()
          return outcome
        },
        watch: (channel, listener) =>
          log.watch(channel, (batch) => {
            try {
              listener(batch)
            } catch (error) {
              failures.push(error)
            }
          }),
      }
    },
  ),
}
