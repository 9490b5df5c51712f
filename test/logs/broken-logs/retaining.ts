import type { Log } from "../../../src/log/log.ts"
import type { Retention } from "../../../src/log/operation.ts"
import { allOf, type BrokenLogs, broken, optionsOf } from "./broken.ts"

const retentionOf = (log: Log, change: (retention: Retention) => Retention): Partial<Log> =>
  optionsOf(log, (options) => ({ ...options, retention: change(options.retention) }))

const floorsOf = (
  log: Log,
  change: (floors: Readonly<Record<string, number>>, channel: string) => Record<string, number>,
): Partial<Log> => ({
  head: async (channel) => {
    const head = await log.head(channel)
    return { ...head, floors: change(head.floors, channel) }
  },
})

export const brokenRetentions: BrokenLogs = {
  "keeps one entry fewer": broken(
    "facts are kept by count, and the floor is the last that was trimmed",
    (log) => retentionOf(log, (retention) => ({ ...retention, entries: Math.max(0, retention.entries - 1) })),
  ),
  "ignores the limit of bytes": broken("facts are kept by bytes of their bodies", (log) =>
    retentionOf(log, (retention) => ({ ...retention, bytes: Infinity })),
  ),
  "ignores ages when it appends": broken("an append trims the facts that are too old by its time", (log) =>
    retentionOf(log, (retention) => ({ ...retention, forMs: Infinity })),
  ),
  "remembers removals for ever when it appends": broken(
    "an append forgets the removals that are too old by its time",
    (log) => retentionOf(log, (retention) => ({ ...retention, removalsForMs: Infinity })),
  ),
  "forgets removals with the values": broken(
    "values outlive the time of removals, and removals that of values",
    (log) => ({
      trim: (channel, retentions, nowMs) => {
        const changed = Object.entries(retentions).map(([name, retention]) => [
          name,
          { ...retention, removalsForMs: retention.forMs },
        ])
        return log.trim(channel, Object.fromEntries(changed), nowMs)
      },
    }),
  ),
  "does not trim when it is asked to": broken(
    "trim removes what has outlived its time, though nothing is appended",
    () => ({ trim: async () => undefined }),
  ),
  "trims all collections by the retention of one": broken(
    "trim leaves the collections alone that it does not name",
    (log) => ({
      trim: async (channel, retentions, nowMs) => {
        const retention = Object.values(retentions)[0]
        if (retention === undefined) return log.trim(channel, retentions, nowMs)
        const names = new Set((await allOf(log, channel)).map(({ collection }) => collection))
        const all = [...names].map((name) => [name, retention])
        return log.trim(channel, { ...Object.fromEntries(all), ...retentions }, nowMs)
      },
    }),
  ),
  "reports no floors": broken("facts are kept by count, and the floor is the last that was trimmed", (log) =>
    floorsOf(log, () => ({})),
  ),
  "has one floor for all collections": broken(
    "many facts raise no floor of keys, and many keys none of facts",
    (log) =>
      floorsOf(log, (floors) => {
        const floor = Math.max(0, ...Object.values(floors))
        return floor === 0 ? {} : { ...floors, facts: floor, keys: floor }
      }),
  ),
  "lists collections that have lost nothing": broken("without limits nothing is trimmed", (log) =>
    floorsOf(log, (floors) => ({ keys: 0, ...floors })),
  ),
  "takes superseded entries for lost": broken(
    "of each key only the latest entry is kept, and that is no loss",
    (log) => ({
      head: async (channel) => {
        const head = await log.head(channel)
        const keys = (await allOf(log, channel)).filter(({ operation }) => operation !== "append")
        const floor = (keys[0]?.offset ?? 1) - 1
        return floor === 0 ? head : { ...head, floors: { keys: floor, ...head.floors } }
      },
    }),
  ),
  "loses trimmed keys without a floor": broken(
    "keys are kept by count: the ones created first go, whatever has changed",
    (log) => floorsOf(log, ({ keys: _, ...floors }) => floors),
  ),
  "creates a key anew with each put": broken(
    "keys are kept by count: the ones created first go, whatever has changed",
    (log) => ({
      append: async (channel, operation, options) => {
        if (
          operation.operation === "put" &&
          operation.key !== undefined &&
          options.retention.entries < Infinity
        ) {
          const { collection, key, at } = operation
          await log.append(
            channel,
            { operation: "remove", collection, key, at, body: new Uint8Array(0) },
            { retention: options.retention },
          )
        }
        return log.append(channel, operation, options)
      },
    }),
  ),
}
