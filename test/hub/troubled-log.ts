import type { Log } from "../../src/log/log.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import type { Seeded } from "../../src/testing/seeded.ts"
import type { VirtualClock } from "../../src/testing/virtual-clock.ts"

export interface Trouble {
  /** How long an append takes at most, in ms. They are taken in order. */
  appendMsMax: number
  /** How many of a hundred appends are refused, and of how many of the others it is not known. */
  refused: number
  doubtful: number
}

export const noTrouble: Trouble = { appendMsMax: 0, refused: 0, doubtful: 0 }

/** A log that is slow, refuses, and leaves in doubt. */
export function troubled(log: Log, clock: VirtualClock, chance: Seeded) {
  const trouble = { ...noTrouble }
  const turns = new Map<string, Promise<void>>()
  const inTurn = (channel: string) => {
    const mine = (turns.get(channel) ?? Promise.resolve()).then(() => {
      if (trouble.appendMsMax === 0) return
      return new Promise<void>((resolve) => clock.after(chance.between(0, trouble.appendMsMax), resolve))
    })
    turns.set(channel, mine)
    return mine
  }
  const append: Log["append"] = async (channel, operation, options) => {
    await inTurn(channel)
    if (chance.chance(trouble.refused / 100)) throw new HoldfastError("log_unavailable")
    if (!chance.chance(trouble.doubtful / 100)) return log.append(channel, operation, options)
    if (chance.chance(0.5)) await log.append(channel, operation, options)
    throw new HoldfastError("in_doubt")
  }
  return { log: { ...log, append }, trouble }
}
