import type { Log } from "../../src/log/log.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import type { Seeded } from "../../src/testing/seeded.ts"
import type { VirtualClock } from "../../src/testing/virtual-clock.ts"

export interface Trouble {
  /** How long what is told is on its way, in ms. */
  toldAfterMs: number
  /** How long an append takes at most, in ms. They are taken in order. */
  appendMsMax: number
  /** How many of a hundred appends are refused, and of how many of the others it is not known. */
  refused: number
  doubtful: number
}

export const noTrouble: Trouble = { toldAfterMs: 0, appendMsMax: 0, refused: 0, doubtful: 0 }

/** A log that is slow, refuses, and leaves in doubt, on one channel. `watchers`: how often that is followed now. */
export function troubled(log: Log, channel: string, clock: VirtualClock, chance: Seeded) {
  const trouble = { ...noTrouble }
  let watchers = 0
  let turn = Promise.resolve()
  const inTurn = () => {
    const mine = turn.then(() => {
      if (trouble.appendMsMax === 0) return
      return new Promise<void>((resolve) => clock.after(chance.between(0, trouble.appendMsMax), resolve))
    })
    turn = mine
    return mine
  }
  const append: Log["append"] = async (name, draft, options) => {
    if (name !== channel) return log.append(name, draft, options)
    await inTurn()
    if (chance.chance(trouble.refused / 100)) throw new HoldfastError("log_unavailable")
    if (!chance.chance(trouble.doubtful / 100)) return log.append(name, draft, options)
    if (chance.chance(0.5)) await log.append(name, draft, options)
    throw new HoldfastError("in_doubt")
  }
  const watch: Log["watch"] = async (name, listener) => {
    const stop = await log.watch(name, (batch) => clock.after(trouble.toldAfterMs, () => listener(batch)))
    if (name !== channel) return stop
    watchers++
    return () => {
      watchers--
      stop()
    }
  }
  return { log: { ...log, append, watch }, trouble, watchers: () => watchers }
}
