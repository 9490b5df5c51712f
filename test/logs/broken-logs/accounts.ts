import type { Log } from "../../../src/log/log.ts"
import type { Account } from "../../../src/log/operation.ts"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { type BrokenLogs, broken, optionsOf } from "./broken.ts"

const accountsOf = (log: Log, change: (account: Account) => Account | undefined): Partial<Log> =>
  optionsOf(log, ({ account, ...options }) => {
    const changed = account && change(account)
    return changed ? { ...options, account: changed } : options
  })

/** Counts the keys of accounts in its own way: those that were put, by what `idOf` says. */
const counting = (
  log: Log,
  idOf: (channel: string, collection: string, account: string) => string,
  forgetsRemoved: boolean,
): Partial<Log> => {
  const counts = new Map<string, Set<string>>()
  return {
    append: async (channel, operation, options) => {
      const { account, ...rest } = options
      if (operation.operation === "remove" && forgetsRemoved) {
        for (const keys of counts.values()) keys.delete(`${channel} ${operation.collection} ${operation.key}`)
      }
      if (operation.operation !== "put" || account === undefined)
        return log.append(channel, operation, options)
      const id = idOf(channel, operation.collection, account.name)
      const keys = counts.get(id) ?? new Set()
      counts.set(id, keys)
      const key = `${channel} ${operation.collection} ${operation.key}`
      if (keys.size >= account.keysMax && !keys.has(key)) throw new HoldfastError("quota_exceeded")
      const outcome = await log.append(channel, operation, {
        ...rest,
        account: { ...account, keysMax: Infinity },
      })
      if (outcome.status === "appended") keys.add(key)
      return outcome
    },
  }
}

/** Makes room where a quota is exceeded. */
const evicting = (
  log: Log,
  evict: (channel: string, collection: string) => Promise<unknown>,
): Partial<Log> => ({
  append: async (channel, operation, options) => {
    try {
      return await log.append(channel, operation, options)
    } catch (error) {
      if ((error as HoldfastError).code !== "quota_exceeded") throw error
      await evict(channel, operation.collection)
      const { account: _, ...rest } = options
      return log.append(channel, operation, rest)
    }
  },
})

export const brokenAccounts: BrokenLogs = {
  "refuses another key before it trims": broken(
    "keys that have outlived their time make room for another key",
    (log) => counting(log, (channel, collection, account) => `${channel} ${collection} ${account}`, true),
  ),
  "has no accounts": broken("an account has at most so many keys in a collection", (log) =>
    accountsOf(log, () => undefined),
  ),
  "has no limit of keys": broken("an account has at most so many keys in a collection", (log) =>
    accountsOf(log, (account) => ({ ...account, keysMax: Infinity })),
  ),
  "has no limit of idempotency keys": broken(
    "an account has at most so many idempotency keys in a channel",
    (log) => accountsOf(log, (account) => ({ ...account, idempotencyKeysMax: Infinity })),
  ),
  "has one account for all": broken("accounts, collections and channels are counted apart", (log) =>
    accountsOf(log, (account) => ({ ...account, name: "all" })),
  ),
  "goes by the first letter of an account": broken(
    "names of accounts are apart, whatever is in them",
    (log) => accountsOf(log, (account) => ({ ...account, name: account.name.slice(0, 1) })),
  ),
  "counts operations without an account as those of one": broken(
    "operations without an account are counted by no account",
    (log) =>
      optionsOf(log, (options) => ({
        account: { name: "", keysMax: 20, idempotencyKeysMax: 20 },
        ...options,
      })),
  ),
  "counts the keys of all collections together": broken(
    "accounts, collections and channels are counted apart",
    (log) => counting(log, (channel, _, account) => `${channel} ${account}`, true),
  ),
  "counts the keys of all channels together": broken(
    "accounts, collections and channels are counted apart",
    (log) => counting(log, (_, collection, account) => `${collection} ${account}`, true),
  ),
  "counts removed keys": broken("removed keys count no more", (log) =>
    counting(log, (channel, collection, account) => `${channel} ${collection} ${account}`, false),
  ),
  "counts a key for each account that changes it": broken(
    "a key counts for the account that created it",
    (log) => counting(log, (channel, collection, account) => `${channel} ${collection} ${account}`, true),
  ),
  "refuses a full account the change of its keys": broken(
    "a full account changes the keys that it has",
    (log) => ({
      append: async (channel, operation, options) => {
        const { account } = options
        if (account !== undefined && operation.operation === "put" && account.keysMax < 10) {
          const { collection, at } = operation
          const probe = { operation: "put", collection, key: "probe", body: new Uint8Array(0), at } as const
          await log.append(channel, probe, { retention: options.retention, account })
          await log.append(channel, { ...probe, operation: "remove" }, { retention: options.retention })
        }
        return log.append(channel, operation, options)
      },
    }),
  ),
  "evicts a key instead of refusing another": broken(
    "a flood by one account evicts nothing of another's",
    (log) =>
      evicting(log, async (channel, collection) => {
        const range = { collection, before: Infinity, entriesMax: 1e9, bytesMax: 1e9 }
        const oldest = (await log.readBack(channel, range)).entries.at(-1)
        if (oldest?.operation !== "put") return
        const { key, at } = oldest
        const removal = { operation: "remove", collection, key, at, body: new Uint8Array(0) } as const
        const retention = { entries: Infinity, forMs: Infinity, bytes: Infinity, removalsForMs: Infinity }
        await log.append(channel, removal, { retention })
      }),
  ),
  "evicts idempotency keys instead of refusing another": broken(
    "a flood by one account evicts nothing of another's",
    (log) => evicting(log, (channel) => log.trim(channel, {}, 1e15)),
  ),
  "counts expired idempotency keys": broken("expired idempotency keys count no more", (log) => {
    const counts = new Map<string, number>()
    return {
      append: async (channel, operation, options) => {
        const { dedupe, account } = options
        const outcome = await log.append(channel, operation, options)
        if (dedupe === undefined || account === undefined || outcome.status !== "appended") return outcome
        const count = (counts.get(account.name) ?? 0) + 1
        counts.set(account.name, count)
        if (count > account.idempotencyKeysMax) throw new HoldfastError("quota_exceeded")
        return outcome
      },
    }
  }),
}
