import type { Log } from "../../../src/log/log.ts"
import { memoryLog } from "../../../src/logs/memory/index.ts"
import {
  type BrokenLogs,
  broken,
  brokenAtOnce,
  entriesOf,
  operationsOf,
  outcomesOf,
  soundLog,
} from "./broken.ts"

const channelOf = (log: Log, change: (name: string) => string): Partial<Log> => ({
  append: (channel, ...rest) => log.append(change(channel), ...rest),
  read: (channel, ...rest) => log.read(change(channel), ...rest),
})

export const brokenAppends: BrokenLogs = {
  "answers with an offset beside the right one": broken(
    "a fact reads as it was appended, and its label need not be unique",
    (log) =>
      outcomesOf(log, ({ position, ...outcome }) => ({
        ...outcome,
        position: { ...position, offset: position.offset + 1 },
      })),
  ),
  "has another epoch each time": broken("the head follows the entries, and the epoch stays", (log) => {
    let count = 0
    return { head: async (channel) => ({ ...(await log.head(channel)), epoch: `${count++}` }) }
  }),
  "appends in any order": brokenAtOnce(
    "operations that are called one after another have offsets in that order",
    (log) => {
      let count = 0
      return {
        append: async (...args) => {
          const turns = count++ % 5
          for (let turn = 0; turn < turns; turn++) await undefined
          return log.append(...args)
        },
      }
    },
  ),
  "mixes upper and lower case in channels": broken("channels are apart, whatever their names", (log) =>
    channelOf(log, (name) => name.toLowerCase()),
  ),
  "cuts the names of channels short": broken("channels are apart, whatever their names", (log) =>
    channelOf(log, (name) => name.slice(0, 254)),
  ),
  "joins collection and key": broken("collections and keys do not run into each other", (log) =>
    operationsOf(log, (operation) => {
      if (operation.operation === "append" || operation.key === undefined) return operation
      const [collection = "", ...key] = `${operation.collection}:${operation.key}`.split(":")
      return { ...operation, collection, key: key.join(":") }
    }),
  ),
  "ends keys at a zero": broken("keys are apart, whatever is in them", (log) =>
    operationsOf(
      log,
      (operation) => ({ ...operation, key: operation.key?.split("\0")[0] }) as typeof operation,
    ),
  ),
  "repairs keys that are no valid text": broken("keys are apart, whatever is in them", (log) =>
    operationsOf(
      log,
      (operation) =>
        ({ ...operation, key: operation.key?.replace(/\p{Surrogate}/gu, "\ufffd") }) as typeof operation,
    ),
  ),
  "takes bodies for text": broken("bodies hold any byte, and may be large", (log) =>
    operationsOf(log, (operation) => ({
      ...operation,
      body: new TextEncoder().encode(new TextDecoder().decode(operation.body)),
    })),
  ),
  "cuts large bodies": broken("bodies hold any byte, and may be large", (log) =>
    operationsOf(log, (operation) => ({ ...operation, body: operation.body.subarray(0, 65_535) })),
  ),
  "cuts times to whole milliseconds": broken(
    "a fact reads as it was appended, and its label need not be unique",
    (log) => operationsOf(log, (operation) => ({ ...operation, at: Math.trunc(operation.at) })),
  ),
  "forgets holders": broken(
    "a put reads as it was made, with the offset at which its key was created",
    (log) => entriesOf(log, (entry) => ({ ...entry, holder: "" })),
  ),
  "forgets versions": broken("a higher version wins, and becomes the key's", (log) =>
    entriesOf(log, (entry) => ({ ...entry, version: 0 })),
  ),
  "says that a key was created with its latest change": broken(
    "a put reads as it was made, with the offset at which its key was created",
    (log) => entriesOf(log, (entry) => ({ ...entry, created: entry.offset })),
  ),
  "assigns keys of its own": broken("a put without a key has its offset as key, in decimal", (log) => {
    let count = 0
    return operationsOf(log, (operation) =>
      operation.operation === "put" && operation.key === undefined
        ? { ...operation, key: `key ${count++}` }
        : operation,
    )
  }),
  "closes before its appends are through": brokenAtOnce(
    "close waits for the appends that are under way",
    (log) => ({
      append: async (...args) => {
        const outcome = await log.append(...args)
        for (let turn = 0; turn < 20; turn++) await undefined
        return outcome
      },
    }),
  ),
  "takes appends after it was closed": broken(
    "a closed log does nothing any more, and closing it again changes nothing",
    () => ({ close: async () => undefined }),
  ),
  "loses everything when it is opened again": {
    foundBy: "what was acknowledged before the close is there when it is opened again",
    make: () => {
      const sound = soundLog()
      const reopen = async () => {
        await sound.log.close()
        return memoryLog()
      }
      return { ...sound, reopen }
    },
  },
}
