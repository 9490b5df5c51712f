/** Merges what several iterators yield in the order of a number. Left early, it ends them, for they hold cursors of LMDB. */
export function* merged<Item>(
  scans: readonly Iterator<Item>[],
  offsetOf: (item: Item) => number,
): Generator<Item> {
  try {
    const nexts = scans.map((scan) => scan.next())
    for (;;) {
      let lowest: Item | undefined
      let [from, offset] = [0, Number.POSITIVE_INFINITY]
      for (const [index, next] of nexts.entries()) {
        if (next.done === true || offsetOf(next.value) >= offset) continue
        lowest = next.value
        offset = offsetOf(next.value)
        from = index
      }
      if (lowest === undefined) return
      yield lowest
      nexts[from] = (scans[from] as Iterator<Item>).next()
    }
  } finally {
    for (const scan of scans) scan.return?.()
  }
}
