import type { Entry } from "../../../src/log/entry.ts"
import { type BrokenLogs, batchesOf, broken, pagesOf } from "./broken.ts"

const whole = (entry: Entry, found: Entry | undefined): Entry => ({
  ...entry,
  body: found?.body ?? entry.body,
})

export const brokenExtends: BrokenLogs = {
  "gives the whole of a value to each cursor": broken(
    "a cursor inside an extended value reads what was added behind it",
    (log) =>
      pagesOf(log, (entries, channel) =>
        Promise.all(
          entries.map(async (entry) =>
            entry.operation === "extend"
              ? {
                  ...whole(entry, await log.find(channel, entry.collection, entry.key)),
                  operation: "put" as const,
                }
              : entry,
          ),
        ),
      ),
  ),
  "gives the last piece to each cursor": broken(
    "a cursor inside an extended value reads what was added behind it",
    (log) => {
      const pieces = new Map<number, Uint8Array>()
      return {
        append: async (channel, operation, options) => {
          const outcome = await log.append(channel, operation, options)
          pieces.set(outcome.position.offset, operation.body)
          return outcome
        },
        ...pagesOf(log, (entries) =>
          entries.map((entry) =>
            entry.operation === "extend" ? { ...entry, body: pieces.get(entry.offset) ?? entry.body } : entry,
          ),
        ),
      }
    },
  ),
  "calls what was added a value": broken(
    "a cursor inside an extended value reads what was added behind it",
    (log) =>
      pagesOf(log, (entries) =>
        entries.map((entry) => (entry.operation === "extend" ? { ...entry, operation: "put" } : entry)),
      ),
  ),
  "leaves a value out where a page ends before its latest piece": broken(
    "a range that ends inside an extended value has it as it was there",
    (log) =>
      pagesOf(log, async (entries, channel) => {
        const latest = await Promise.all(
          entries.map(({ collection, key }) => log.find(channel, collection, key)),
        )
        return entries.filter(
          ({ offset, operation }, index) => operation === "append" || latest[index]?.offset === offset,
        )
      }),
  ),
  "folds a value as it is now, whatever `through` is": broken(
    "a fold through an offset has extended values as they were there",
    (log) => ({
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        if (range.select === "all") return page
        const now = await Promise.all(
          page.entries.map(async (entry) =>
            whole(entry, await log.find(channel, entry.collection, entry.key)),
          ),
        )
        return { ...page, entries: now }
      },
    }),
  ),
  "extends what is not there": broken("an extend is refused without a value, and changes nothing", (log) => ({
    append: async (channel, operation, options) => {
      const outcome = await log.append(channel, operation, options)
      if (operation.operation !== "extend" || outcome.status !== "refused") return outcome
      return log.append(channel, { ...operation, operation: "put" }, options)
    },
  })),
  "goes on with the old value behind a put": broken(
    "a put starts the value anew: a cursor behind the old one reads it whole",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest =
          operation.operation === "put" && operation.key !== undefined
            ? await log.find(channel, operation.collection, operation.key)
            : undefined
        if (operation.operation !== "put" || latest?.operation !== "put") {
          return log.append(channel, operation, options)
        }
        const body = Uint8Array.of(...latest.body, ...operation.body)
        return log.append(channel, { ...operation, body }, options)
      },
    }),
  ),
  "keeps nothing of what a put had when it is extended": broken(
    "an extended key is one entry, at its latest offset",
    (log) => ({
      append: async (channel, operation, options) => {
        if (operation.operation !== "extend") return log.append(channel, operation, options)
        const latest = await log.find(channel, operation.collection, operation.key)
        if (latest?.operation !== "put") return log.append(channel, operation, options)
        return log.append(channel, { ...operation, operation: "put", holder: latest.holder }, options)
      },
    }),
  ),
  "sends the whole value to watchers": broken("an extend arrives as the piece that was added", (log) => {
    const values = new Map<string, Uint8Array>()
    return batchesOf(log, (batch) => [
      {
        ...batch,
        entries: batch.entries.map((entry) => {
          const before = entry.operation === "extend" ? (values.get(entry.key) ?? []) : []
          const body = Uint8Array.of(...before, ...entry.body)
          values.set(entry.key, body)
          return { ...entry, body }
        }),
      },
    ])
  }),
}
