import type { Log } from "../../../src/log/log.ts"
import type { Operation, Put } from "../../../src/log/operation.ts"
import { type BrokenLogs, broken, operationsOf, pagesOf, textOf } from "./broken.ts"

const putsOf = (log: Log, change: (put: Put) => Put): Partial<Log> =>
  operationsOf(log, (operation) => (operation.operation === "put" ? change(operation) : operation))

/** Renews the lease of a key with each operation that `renews`. */
const renewing = (log: Log, renews: (operation: Operation) => boolean): Partial<Log> => ({
  append: async (channel, operation, options) => {
    const outcome = await log.append(channel, operation, options)
    const latest = await log.find(channel, operation.collection, operation.key ?? "")
    if (latest?.operation === "put" && renews(operation)) {
      const { collection, key, body, at, holder } = latest
      const renewal: Put = { operation: "put", collection, key, body, at, holder, leaseMs: 1e6, quiet: true }
      await log.append(channel, renewal, { retention: options.retention })
    }
    return outcome
  },
})

export const brokenLeases: BrokenLogs = {
  "gives leases that never end": broken("a key whose lease is over can be removed", (log) =>
    putsOf(log, ({ leaseMs: _, ...put }) => put),
  ),
  "gives leases that have ended": broken("a key whose lease is not over has not lapsed", (log) =>
    putsOf(log, (put) => (put.leaseMs === undefined ? put : { ...put, leaseMs: 0 })),
  ),
  "gives a lease to each key": broken("a key without a lease, and one without a value, never lapse", (log) =>
    putsOf(log, (put) => ({ leaseMs: 1_000, ...put })),
  ),
  "keeps the lease when a put has none": broken("a put without a lease ends the lease", (log) => {
    const leases = new Map<string, number>()
    return putsOf(log, (put) => {
      const id = `${put.collection}:${put.key}`
      if (put.leaseMs !== undefined) leases.set(id, put.leaseMs)
      const leaseMs = put.leaseMs ?? leases.get(id)
      return leaseMs === undefined ? put : { ...put, leaseMs }
    })
  }),
  "renews leases with each extend": broken(
    "an extend, a refused put and another key's put do not renew the lease",
    (log) => renewing(log, ({ operation }) => operation === "extend"),
  ),
  "renews leases with puts that it refuses": broken(
    "an extend, a refused put and another key's put do not renew the lease",
    (log) => ({
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, options)
        const latest = await log.find(channel, operation.collection, operation.key ?? "")
        if (outcome.status !== "refused" || operation.operation !== "put" || latest?.operation !== "put") {
          return outcome
        }
        const { body, holder } = latest
        await log.append(
          channel,
          { ...operation, body, holder, quiet: true },
          { retention: options.retention },
        )
        return outcome
      },
    }),
  ),
  "hides keys whose lease is over": broken("a key whose lease is over is read like any other", (log, now) => {
    const leases = new Map<string, number>()
    return {
      append: (channel, operation, options) => {
        const leaseMs = operation.operation === "put" ? (operation.leaseMs ?? Infinity) : undefined
        if (leaseMs !== undefined) leases.set(`${operation.collection}:${operation.key}`, now() + leaseMs)
        return log.append(channel, operation, options)
      },
      ...pagesOf(log, (entries) =>
        entries.filter(({ collection, key }) => (leases.get(`${collection}:${key}`) ?? Infinity) > now()),
      ),
    }
  }),
  "appends quiet puts": broken("a quiet put of the same value appends nothing", (log) =>
    putsOf(log, ({ quiet: _, ...put }) => put),
  ),
  "takes each put for a quiet one": broken(
    "a put that is not quiet appends an entry, even of the same value",
    (log) => putsOf(log, (put) => ({ ...put, quiet: true })),
  ),
  "ignores quiet puts of another value": broken("a quiet put of another value appends an entry", (log) => ({
    append: async (channel, operation, options) => {
      const latest = await log.find(channel, operation.collection, operation.key ?? "")
      const isQuiet = operation.operation === "put" && operation.quiet === true
      const body = isQuiet && latest?.operation === "put" ? latest.body : operation.body
      return log.append(channel, { ...operation, body }, options)
    },
  })),
  "compares quiet puts with what was put last": broken(
    "a quiet put is compared with the whole of an extended value",
    (log) => {
      const puts = new Map<string, string>()
      return {
        append: async (channel, operation, options) => {
          if (operation.operation !== "put") return log.append(channel, operation, options)
          const id = `${channel}:${operation.collection}:${operation.key}`
          const isSame = puts.get(id) === textOf(operation.body)
          puts.set(id, textOf(operation.body))
          return log.append(channel, { ...operation, quiet: operation.quiet === true && isSame }, options)
        },
      }
    },
  ),
  "lets quiet puts of the same value change nothing": broken(
    "a quiet put of the same value changes holder and version where they are read",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await log.find(channel, operation.collection, operation.key ?? "")
        const isQuiet = operation.operation === "put" && operation.quiet === true
        if (!isQuiet || latest?.operation !== "put" || textOf(latest.body) !== textOf(operation.body)) {
          return log.append(channel, operation, options)
        }
        const { epoch } = await log.head(channel)
        return { status: "unchanged", position: { epoch, offset: latest.offset } }
      },
    }),
  ),
}
