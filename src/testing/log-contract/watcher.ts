import type { Entry } from "../../log/entry.ts"
import type { Batch, Log } from "../../log/log.ts"
import { assert, assertEqual } from "./assert.ts"

export interface Watcher {
  readonly batches: Batch[]
  readonly entries: Entry[]
  readonly stop: () => void
  /** Resolves when this entry has arrived. */
  readonly until: (entry: Entry | undefined) => Promise<void>
  readonly untilThat: (condition: (entries: readonly Entry[]) => boolean) => Promise<void>
}

export async function watch(log: Log, channel: string): Promise<Watcher> {
  const batches: Batch[] = []
  const entries: Entry[] = []
  let waiting: { readonly condition: (entries: readonly Entry[]) => boolean; readonly done: () => void }[] =
    []
  const stop = await log.watch(channel, (batch) => {
    batches.push(batch)
    entries.push(...batch.entries)
    const due = waiting.filter(({ condition }) => condition(entries))
    waiting = waiting.filter((one) => !due.includes(one))
    for (const { done } of due) done()
  })
  const untilThat = async (condition: (entries: readonly Entry[]) => boolean): Promise<void> => {
    if (!condition(entries)) await new Promise<void>((done) => waiting.push({ condition, done }))
  }
  const until = (entry: Entry | undefined): Promise<void> =>
    untilThat((seen) => (seen.at(-1)?.offset ?? 0) >= (entry?.offset ?? 0))
  return { batches, entries, stop, until, untilThat }
}

/**
 * Checks that each batch names, as what it follows, the entry that stands directly before it.
 * @param bases what entries may follow instead: the base of a channel that was forgotten before them
 */
export function assertChained(
  batches: readonly Batch[],
  all: readonly Entry[],
  bases: ReadonlyMap<number, number> = new Map(),
): void {
  const before = new Map(all.map(({ offset }, index) => [offset, all[index - 1]?.offset]))
  for (const { after, entries } of batches) {
    const [first, ...rest] = entries
    assert(first !== undefined, "a batch has entries")
    const previous = before.get(first.offset)
    if (previous !== undefined && after !== bases.get(first.offset))
      assertEqual(after, previous, `what the batch of ${first.offset} follows`)
    else assert(after < first.offset, `the batch of ${first.offset} follows ${after}`)
    let offset = first.offset
    for (const entry of rest) {
      assertEqual(before.get(entry.offset), offset, `the entry before ${entry.offset}`)
      offset = entry.offset
    }
  }
}
