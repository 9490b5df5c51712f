/** How many tops are remembered. */
const BUCKETS = 65_536

/**
 * The tops of channels that were forgotten, in constant space: a channel goes on above the highest one of those that share a bucket with
 * its name. One top for all channels would be above the cursors of channels in which nothing happened, and a false gap for each.
 */
export class Forgotten {
  readonly #tops = new Map<number, number>()

  top(channel: string): number {
    return this.#tops.get(bucketOf(channel)) ?? 0
  }

  add(channel: string, top: number): void {
    if (top > this.top(channel)) this.#tops.set(bucketOf(channel), top)
  }
}

/** FNV-1a, of UTF-16 code units. */
function bucketOf(channel: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < channel.length; index++) {
    hash = Math.imul(hash ^ channel.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % BUCKETS
}
