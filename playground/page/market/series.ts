/** One symbol's prices: `at` in seconds since 1970, as the chart wants it, rising. */
export interface Series {
  readonly at: number[]
  readonly prices: number[]
}

/** How much of the past is shown, in seconds. */
export const WINDOW_S = 120

/** A fresh series out of prices at even distances, the last of which is of `nowS`. */
export function seriesOf(prices: readonly number[], everyMs: number, nowS: number): Series {
  const distance = everyMs / 1_000
  return { at: prices.map((_, index) => nowS - (prices.length - 1 - index) * distance), prices: [...prices] }
}

/** Adds a price and drops what is older than the window. */
export function addPrice(series: Series, price: number, nowS: number): void {
  series.at.push(nowS)
  series.prices.push(price)
  const old = series.at.findIndex((at) => at >= nowS - WINDOW_S)
  // Now and then, rather than one by one: moving a thousand numbers up costs more than keeping a few too many.
  if (old < 100) return
  series.at.splice(0, old)
  series.prices.splice(0, old)
}

/** About `count` prices of the series, evenly picked, the last one included. */
export function sampled(series: Series, count: number): readonly number[] {
  const { prices } = series
  const step = Math.max(1, Math.floor(prices.length / count))
  return prices.filter((_, index) => (prices.length - 1 - index) % step === 0)
}
