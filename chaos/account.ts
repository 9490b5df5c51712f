/** An event with what identifies it, and the place that somebody says it has in the log. */
export interface Placed {
  readonly id: string
  readonly offset: number
}

/** What happened between two moments, as those who took part saw it. */
export interface Account {
  /** What the log holds, in its order. */
  readonly log: readonly Placed[]
  /** The ids that were published, each once. */
  readonly published: readonly string[]
  readonly acknowledged: readonly Placed[]
  /** What each subscriber was given, in that order. */
  readonly delivered: ReadonlyMap<string, readonly Placed[]>
}

/** Everything that is wrong with it; empty when nothing was lost, repeated, reordered or made up. */
export function complaints({ log, published, acknowledged, delivered }: Account): string[] {
  const found: string[] = []
  const offsets = new Map<string, number>()
  for (const { id, offset } of log) {
    if (offsets.has(id)) found.push(`${id} is in the log twice, at ${offsets.get(id)} and ${offset}`)
    offsets.set(id, offset)
  }
  const known = new Set(published)
  for (const id of offsets.keys())
    if (!known.has(id)) found.push(`${id} is in the log and was never published`)
  for (const { id, offset } of acknowledged) {
    const actual = offsets.get(id)
    if (actual === undefined) found.push(`${id} was acknowledged and is not in the log`)
    else if (actual !== offset) found.push(`${id} was acknowledged as ${offset} and is at ${actual}`)
  }
  for (const [subscriber, entries] of delivered) found.push(...misdeliveries(subscriber, entries, log))
  return found
}

/** Compares with the log from both ends, so that one entry too few makes one complaint and not thousands. */
function misdeliveries(subscriber: string, entries: readonly Placed[], log: readonly Placed[]): string[] {
  const found: string[] = []
  let next = 0
  for (const { id, offset } of entries) {
    while ((log[next]?.offset ?? Number.POSITIVE_INFINITY) < offset) {
      found.push(`${subscriber} was not given ${log[next]?.id} at ${log[next]?.offset}`)
      next++
    }
    const expected = log[next]
    if (expected?.offset !== offset) found.push(`${subscriber} was given ${id} at ${offset}, out of turn`)
    else {
      if (expected.id !== id)
        found.push(`${subscriber} was given ${id} at ${offset}, where ${expected.id} is`)
      next++
    }
  }
  for (const { id, offset } of log.slice(next)) found.push(`${subscriber} was not given ${id} at ${offset}`)
  return found
}
