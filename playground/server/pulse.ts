import { randomUUID } from "node:crypto"
import { beatEveryMs } from "../places.ts"

export interface Beat {
  readonly run: string
  readonly number: number
}

/**
 * Publishes numbered events at a steady rate. One after the other, so that their numbers rise as their offsets do; a
 * number is used up only by an event that was kept, so that the numbers have no hole unless an event was lost.
 * @param last the last one that an earlier life of this server published
 */
export function createPulse(publish: (beat: Beat) => Promise<unknown>, last: Beat | undefined) {
  // what the log has kept over a restart goes on
  const run = last?.run ?? randomUUID()
  let number = last?.number ?? 0
  let queue: Promise<unknown> = Promise.resolve()

  async function next(): Promise<void> {
    await publish({ run, number: number + 1 })
    number++
  }

  function beat(): Promise<void> {
    const published = queue.then(next)
    queue = published.catch(() => undefined)
    return published
  }

  const beating = setInterval(() => {
    beat().catch((error: unknown) => console.error("A beat could not be published:", error))
  }, beatEveryMs)

  return {
    burst: async (count: number): Promise<void> => {
      await Promise.all(Array.from({ length: count }, beat))
    },
    stop: () => clearInterval(beating),
  }
}
