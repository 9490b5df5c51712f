/** What happened, in order. Two runs of one seed have the same hash. */
export interface Trace {
  readonly add: (who: string, what: string) => void
  readonly hash: () => string
}

/** `print` gets each line, if it is wanted. */
export function createTrace(nowMs: () => number, print?: (line: string) => void): Trace {
  // FNV-1a, twice with different seeds: 64 bits are enough to tell runs apart
  let low = 0x811c9dc5
  let high = 0x01000193
  const mix = (text: string) => {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x85ebca6b)
    }
  }
  return {
    add: (who, what) => {
      const line = `${nowMs().toFixed(1)} ${who} ${what}`
      mix(line)
      print?.(line)
    },
    hash: () => [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join(""),
  }
}
