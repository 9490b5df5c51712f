import type { Log } from "../../../src/log/log.ts"
import type { Dedupe, Outcome } from "../../../src/log/operation.ts"
import { type BrokenLogs, broken, optionsOf, textOf } from "./broken.ts"

const dedupeOf = (log: Log, change: (dedupe: Dedupe) => Dedupe): Partial<Log> =>
  optionsOf(log, ({ dedupe, ...options }) => (dedupe ? { ...options, dedupe: change(dedupe) } : options))

export const brokenDedupes: BrokenLogs = {
  "does not dedupe": broken("a repeated operation finds the first one, and changes nothing", (log) =>
    optionsOf(log, ({ dedupe: _, ...options }) => options),
  ),
  "dedupes facts only": broken("a repeated operation finds the first one, and changes nothing", (log) =>
    optionsOf(log, ({ dedupe, ...options }, { operation }) =>
      dedupe && operation === "append" ? { ...options, dedupe } : options,
    ),
  ),
  "takes other content for a repetition": broken(
    "a repetition with other content is a conflict, and changes nothing",
    (log) => dedupeOf(log, (dedupe) => ({ ...dedupe, fingerprint: "" })),
  ),
  "never forgets an idempotency key": broken(
    "a key is remembered for its window, by the time of the operations",
    (log) => dedupeOf(log, (dedupe) => ({ ...dedupe, windowMs: 1e12 })),
  ),
  "forgets idempotency keys too early": broken(
    "a key is remembered for its window, by the time of the operations",
    (log) => dedupeOf(log, (dedupe) => ({ ...dedupe, windowMs: dedupe.windowMs / 2 })),
  ),
  "forgets idempotency keys with each trim": broken(
    "a trim leaves the keys alone whose window is open",
    (log) => ({
      trim: (channel, retentions) => log.trim(channel, retentions, 1e15),
    }),
  ),
  "dedupes by collection": broken(
    "idempotency keys belong to their channel, whatever the collection",
    (log) =>
      optionsOf(log, ({ dedupe, ...options }, { collection }) =>
        dedupe ? { ...options, dedupe: { ...dedupe, key: `${collection} ${dedupe.key}` } } : options,
      ),
  ),
  "dedupes over all channels": broken(
    "idempotency keys belong to their channel, whatever the collection",
    (log) => {
      const known = new Map<string, string>()
      return {
        append: (channel, operation, options) => {
          const key = options.dedupe?.key ?? ""
          const first = known.get(key) ?? channel
          if (options.dedupe) known.set(key, first)
          return log.append(first, operation, options)
        },
      }
    },
  ),
  "forgets an idempotency key with its entry": broken("a key outlives its entry", (log) => ({
    append: async (channel, operation, options) => {
      const { floors } = await log.head(channel)
      const { dedupe: _, ...rest } = options
      return log.append(channel, operation, Object.keys(floors).length === 0 ? options : rest)
    },
  })),
  "judges a repetition by its condition": broken(
    "a repetition is found although its condition does not hold any more",
    (log) => ({
      append: async (channel, operation, options) => {
        const { dedupe: _, ...judged } = options
        if (options.condition?.latest !== undefined) {
          const latest = await log.find(channel, operation.collection, operation.key ?? "")
          const offset = latest?.offset ?? 0
          if (offset !== options.condition.latest) return log.append(channel, operation, judged)
        }
        return log.append(channel, operation, options)
      },
    }),
  ),
  "records the idempotency keys of refused operations": broken(
    "a refused operation records no idempotency key",
    (log) => {
      const refused = new Map<string, Outcome>()
      return {
        append: async (channel, operation, options) => {
          const id = `${channel} ${options.dedupe?.key}`
          const known = options.dedupe && refused.get(id)
          if (known !== undefined) return { ...known, status: "duplicate" }
          const outcome = await log.append(channel, operation, options)
          if (outcome.status === "refused" && options.dedupe) refused.set(id, outcome)
          return outcome
        },
      }
    },
  ),
  "records no idempotency keys of what is unchanged": broken(
    "an operation that changed nothing is found again too",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await log.find(channel, operation.collection, operation.key ?? "")
        const { dedupe: _, ...rest } = options
        const isSame =
          operation.operation === "put" &&
          latest !== undefined &&
          textOf(latest.body) === textOf(operation.body)
        return log.append(channel, operation, isSame && operation.quiet === true ? rest : options)
      },
    }),
  ),
  "calls a duplicate appended": broken(
    "a repeated operation finds the first one, and changes nothing",
    (log) => ({
      append: async (...args) => {
        const outcome = await log.append(...args)
        return outcome.status === "duplicate" ? { ...outcome, status: "appended" } : outcome
      },
    }),
  ),
}
