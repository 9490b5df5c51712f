import type { Account, AppendOptions, Condition, Dedupe, Operation, Retention } from "../../log/operation.ts"
import type { Seeded } from "../seeded.ts"
import { LONG_MS } from "./leases.ts"
import type { Model } from "./model.ts"
import { keepAll } from "./operations.ts"

/** What a random run's channels have. */
export const EVENTS = "events"
export const MESSAGES = "messages"
export const STATE = "state"
export const COLLECTIONS = [EVENTS, MESSAGES, STATE]
export const STATE_KEYS = ["a", "b", "ce", "e", "cea"]

/** How far a short lease of a random run goes, by a clock that is advanced. */
export const LEASE_MS = 1_000

export interface Setting {
  readonly retentions: Readonly<Record<string, Retention>>
  readonly accounts: readonly (Account | undefined)[]
  readonly leasesMs: readonly (number | undefined)[]
}

export function randomSetting(dice: Seeded, hasClock: boolean): Setting {
  const isTimeless = dice.chance(0.5)
  const retention = (): Retention => ({
    entries: dice.pick([3, 10, 100, Infinity]),
    forMs: isTimeless ? Infinity : dice.pick([500, 5_000, Infinity]),
    bytes: dice.pick([60, 400, Infinity]),
    removalsForMs: isTimeless ? Infinity : dice.pick([500, 5_000, Infinity]),
  })
  const account = (name: string): Account => ({
    name,
    keysMax: dice.pick([1, 3, 100]),
    idempotencyKeysMax: dice.pick([1, 5, 100]),
  })
  return {
    retentions: { [EVENTS]: retention(), [MESSAGES]: retention(), [STATE]: retention() },
    accounts: [undefined, account("ada"), account("bob")],
    leasesMs: hasClock ? [undefined, LEASE_MS, LONG_MS] : [undefined, LONG_MS],
  }
}

export function randomOperation(dice: Seeded, model: Model, setting: Setting, at: number): Operation {
  const body = Uint8Array.from({ length: dice.pick([0, 1, 1, 5, 19]) }, () => dice.pick([0, 120, 255]))
  const collection = dice.pick([EVENTS, MESSAGES, STATE, STATE])
  if (collection === EVENTS) return { operation: "append", collection, key: dice.pick(STATE_KEYS), body, at }
  const created = collection === MESSAGES ? [...model.collection(MESSAGES).keys.keys()] : STATE_KEYS
  const key = created.length === 0 ? "1" : dice.pick(created)
  const common = { collection, key, body, at }
  const operation = dice.pick(["put", "put", "extend", "extend", "remove"] as const)
  if (operation !== "put") return { operation, ...common }
  const holder = dice.pick(["", "", "node 1", "node 2"])
  const leaseMs = dice.pick(setting.leasesMs)
  const isCreated = collection === MESSAGES && dice.chance(0.7)
  return {
    operation,
    ...(isCreated ? { collection, body, at } : common),
    ...(holder !== "" && { holder }),
    ...(leaseMs !== undefined && { leaseMs }),
    ...(dice.chance(0.3) && { quiet: true }),
  }
}

export function randomOptions(
  dice: Seeded,
  model: Model,
  setting: Setting,
  operation: Operation,
): AppendOptions {
  const account = dice.pick(setting.accounts)
  const dedupe = randomDedupe(dice)
  const condition = operation.operation === "append" ? undefined : randomCondition(dice, model, operation)
  return {
    retention: setting.retentions[operation.collection] ?? keepAll,
    ...(account && { account }),
    ...(dedupe && { dedupe }),
    ...(condition && { condition }),
  }
}

function randomDedupe(dice: Seeded): Dedupe | undefined {
  if (dice.chance(0.5)) return undefined
  return {
    key: `key ${dice.between(0, 39)}`,
    fingerprint: dice.chance(0.9) ? "usual" : "other",
    windowMs: dice.pick([300, 1_000, 10_000]),
  }
}

function randomCondition(dice: Seeded, model: Model, operation: Operation): Condition | undefined {
  if (dice.chance(0.5)) return undefined
  const key = model.collection(operation.collection).keys.get(operation.key ?? "")
  const latest = dice.chance(0.7) ? (key?.offset ?? 0) : dice.between(0, model.top)
  const version = Math.max(0, (key?.version ?? 0) + dice.pick([-1, 0, 1, 1, 2]))
  return dice.pick([
    { latest },
    { version },
    { version },
    { lapsed: true },
    { latest, version },
    { version, lapsed: true },
  ] as const)
}
