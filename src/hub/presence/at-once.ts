/** How many channels are gone through at once. */
export const CHANNELS_AT_ONCE_MAX = 8

/** Works on all items, on so many at once at most. Rejects with the first failure, when what was begun by then has ended. */
export async function atOnce<T>(
  items: readonly T[],
  max: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0
  let failed = false
  const worker = async () => {
    while (next < items.length && !failed) {
      try {
        await work(items[next++] as T)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.min(max, items.length) }, worker)
  for (const outcome of await Promise.allSettled(workers)) {
    if (outcome.status === "rejected") throw outcome.reason
  }
}
