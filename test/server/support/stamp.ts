let last = 0

/** A version as a client stamps with: its time, and above all before. */
export function stamp(): number {
  last = Math.max(Date.now(), last + 1)
  return last
}
