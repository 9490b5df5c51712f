/** A line on stderr that tells how far a run is: rewritten in a terminal, now and then a new one elsewhere. */
export interface Progress {
  readonly show: (done: number, broken: number) => void
  readonly clear: () => void
}

const TERMINAL_INTERVAL_MS = 200
const FILE_INTERVAL_MS = 10_000

export function createProgress(seeds: number): Progress {
  const { isTTY } = process.stderr
  const intervalMs = isTTY ? TERMINAL_INTERVAL_MS : FILE_INTERVAL_MS
  const startedMs = performance.now()
  let shownMs = startedMs
  return {
    show: (done, broken) => {
      const now = performance.now()
      if (now - shownMs < intervalMs) return
      shownMs = now
      const perSecond = done / ((now - startedMs) / 1_000)
      const left = Math.ceil((seeds - done) / perSecond)
      const text = `${done} of ${seeds} seeds, ${broken} broken, ${perSecond.toFixed(1)} a second, ${left} s left`
      process.stderr.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`)
    },
    clear: () => {
      if (isTTY) process.stderr.write("\r\x1b[K")
    },
  }
}
