import type { Log } from "../../../src/log/log.ts"
import type { Condition, Operation } from "../../../src/log/operation.ts"
import { type BrokenLogs, broken, optionsOf, outcomesOf, textOf } from "./broken.ts"

const conditionsOf = (log: Log, change: (condition: Condition) => Condition): Partial<Log> =>
  optionsOf(log, ({ condition, ...options }) =>
    condition ? { ...options, condition: change(condition) } : options,
  )

const latestOf = (log: Log, channel: string, { collection, key }: Operation) =>
  log.find(channel, collection, key ?? "")

/** Asks again without the condition when an operation was refused although `isTaken`. */
const takes = (
  log: Log,
  isTaken: (refused: {
    readonly condition: Condition
    readonly operation: Operation
    readonly lowest: number | undefined
    readonly latest: Awaited<ReturnType<Log["find"]>>
  }) => boolean,
): Partial<Log> => ({
  append: async (channel, operation, options) => {
    const outcome = await log.append(channel, operation, options)
    const { condition, ...unconditioned } = options
    if (outcome.status !== "refused" || condition === undefined) return outcome
    const latest = await latestOf(log, channel, operation)
    if (!isTaken({ condition, operation, lowest: outcome.version, latest })) return outcome
    return log.append(channel, operation, unconditioned)
  },
})

export const brokenConditions: BrokenLogs = {
  "ignores which entry is expected": broken(
    "a change of another entry than the latest is refused, and nothing happens",
    (log) => conditionsOf(log, ({ latest: _, ...rest }) => rest),
  ),
  "ignores versions": broken("a lower or equal version is refused with the lowest that is accepted", (log) =>
    conditionsOf(log, ({ version: _, ...rest }) => rest),
  ),
  "ignores leases": broken("a key whose lease is not over has not lapsed", (log) =>
    conditionsOf(log, ({ lapsed: _, ...rest }) => rest),
  ),
  "checks one of several conditions": broken("all that a condition names has to hold", (log) =>
    conditionsOf(log, ({ version, ...rest }) =>
      version !== undefined && Object.keys(rest).length > 0
        ? rest
        : { ...rest, ...(version !== undefined && { version }) },
    ),
  ),
  "takes a removed key for one that was never there": broken(
    "a remembered removal is the latest entry of its key",
    (log) => takes(log, ({ condition, latest }) => condition.latest === 0 && latest?.operation === "remove"),
  ),
  "expects the entry that created a key": broken(
    "a change of another entry than the latest is refused, and nothing happens",
    (log) =>
      takes(log, ({ condition, latest }) => latest !== undefined && condition.latest === latest.created),
  ),
  "takes an equal version for a higher one": broken(
    "a lower or equal version is refused with the lowest that is accepted",
    (log) => takes(log, ({ condition, lowest }) => lowest !== undefined && condition.version === lowest - 1),
  ),
  "refuses a removal with the version of the value": broken(
    "a remove wins a tie against a value, and a put loses one against a removal",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await latestOf(log, channel, operation)
        const isTie = operation.operation === "remove" && latest?.version === options.condition?.version
        if (!isTie || latest === undefined) return log.append(channel, operation, options)
        const { epoch } = await log.head(channel)
        return { status: "refused", position: { epoch, offset: latest.offset }, version: latest.version + 1 }
      },
    }),
  ),
  "takes a late put for a removed key": broken(
    "a removal before its put is remembered: the late put is refused",
    (log) => takes(log, ({ lowest, latest }) => lowest !== undefined && latest?.operation === "remove"),
  ),
  "forgets versions with the removals": broken(
    "of forgotten removals the collection keeps the highest version",
    (log) => takes(log, ({ lowest, latest }) => lowest !== undefined && latest === undefined),
  ),
  "names the version that is there": broken(
    "a lower or equal version is refused with the lowest that is accepted",
    (log) =>
      outcomesOf(log, ({ version, ...outcome }) =>
        version === undefined ? outcome : { ...outcome, version: version - 1 },
      ),
  ),
  "names no version": broken("a lower or equal version is refused with the lowest that is accepted", (log) =>
    outcomesOf(log, ({ version: _, ...outcome }) => outcome),
  ),
  "names no entry when it refuses": broken(
    "a change of another entry than the latest is refused, and nothing happens",
    (log) =>
      outcomesOf(log, (outcome) =>
        outcome.status === "refused" ? { ...outcome, position: { ...outcome.position, offset: 0 } } : outcome,
      ),
  ),
  "gives up the version when none is given": broken(
    "a change without a version is made, and leaves the version as it is",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await latestOf(log, channel, operation)
        const isPut = operation.operation === "put" && operation.quiet !== true
        if (options.condition !== undefined || !isPut || latest?.operation !== "put") {
          return log.append(channel, operation, options)
        }
        const { collection, key } = latest
        const removal = {
          operation: "remove",
          collection,
          key,
          at: operation.at,
          body: new Uint8Array(0),
        } as const
        const none = { ...options.retention, removalsForMs: -1 }
        await log.append(channel, removal, { retention: none })
        return log.append(channel, operation, options)
      },
    }),
  ),
  "appends a put that repeats a version": broken(
    "a put that repeats version, holder and value changes nothing",
    (log) => ({
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, options)
        const isPut = operation.operation === "put" && operation.quiet !== true
        if (outcome.status !== "unchanged" || !isPut) return outcome
        return log.append(channel, operation, { retention: options.retention })
      },
    }),
  ),
  "appends a removal of what is removed": broken(
    "a higher removal of what is removed raises the version, without an entry",
    (log) => ({
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, options)
        if (outcome.status !== "unchanged" || operation.operation !== "remove") return outcome
        return log.append(channel, operation, { retention: options.retention })
      },
    }),
  ),
  "does not raise the version of a removal": broken(
    "a higher removal of what is removed raises the version, without an entry",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await latestOf(log, channel, operation)
        const isAgain = operation.operation === "remove" && latest?.operation === "remove"
        if (!isAgain || options.condition?.version === undefined)
          return log.append(channel, operation, options)
        if (options.condition.version <= latest.version) return log.append(channel, operation, options)
        const { epoch } = await log.head(channel)
        return { status: "unchanged", position: { epoch, offset: latest.offset } }
      },
    }),
  ),
  "takes a repetition with another holder for the same": broken(
    "a put that repeats the version with another value or holder is refused",
    (log) => ({
      append: async (channel, operation, options) => {
        const latest = await latestOf(log, channel, operation)
        const isSame =
          operation.operation === "put" &&
          latest?.operation === "put" &&
          latest.version === options.condition?.version &&
          textOf(latest.body) === textOf(operation.body)
        return log.append(channel, isSame ? { ...operation, holder: latest.holder } : operation, options)
      },
    }),
  ),
}
