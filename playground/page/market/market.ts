import { venue } from "../../places.ts"
import { symbols } from "../../symbols.ts"
import type { PlaygroundClient } from "../client.ts"
import { element } from "../element.ts"
import { nowMs, onFrame } from "../frames.ts"
import { createChart } from "./chart.ts"
import { createFreshness } from "./freshness.ts"
import { createHeadline } from "./headline.ts"
import { createQuotesTable } from "./quotes-table.ts"
import { addPrice, type Series, sampled, seriesOf } from "./series.ts"

const DRAW_EVERY_MS = 100
const TRENDS_EVERY_MS = 500
const TREND_POINTS = 40
/** Longer than this it is never still. */
const HOLE_MS = 1_000
/** Prices that stand still for so long are not shown as live. */
const STALE_MS = 2_000

/** The market: keyed state that changes many times a second, and a call that tells what came before. */
export function startMarket(client: PlaygroundClient): void {
  const market = client.channel("market/:venue", venue)
  const quotes = market.state("quote")
  const series = new Map<string, Series>()
  const changed = new Set<string>()
  const table = createQuotesTable(symbols, select)
  const headline = createHeadline()
  const freshness = createFreshness()
  const chart = createChart(element("chart", HTMLElement))
  let selected: string = symbols[0].symbol
  let changedMs: number | undefined

  function select(symbol: string): void {
    selected = symbol
    table.select(symbol)
    changed.add(symbol)
  }

  function take(symbol: string, price: number): void {
    changed.add(symbol)
    const known = series.get(symbol) ?? { at: [], prices: [] }
    series.set(symbol, known)
    addPrice(known, price, nowMs() / 1_000)
  }

  function askHistory(): void {
    market
      .call("history", {})
      .then(({ everyMs, prices }) => {
        for (const [symbol, past] of Object.entries(prices)) {
          series.set(symbol, seriesOf(past, everyMs, nowMs() / 1_000))
        }
      })
      // Without it the chart begins now, or keeps its hole, which is no misfortune.
      .catch(() => undefined)
  }

  quotes.onChange(({ key, value }) => {
    headline.countChange()
    // A hole, or the beginning: of what was not seen here, a state only tells how it ended.
    if (changedMs === undefined || nowMs() - changedMs > HOLE_MS) askHistory()
    changedMs = nowMs()
    if (value !== undefined) take(key, value.price)
  })

  onFrame(DRAW_EVERY_MS, (now) => {
    for (const symbol of changed) {
      const quote = quotes.get(symbol)
      if (quote === undefined) continue
      table.showQuote(symbol, quote.price, quote.open)
      if (symbol === selected) headline.show(symbol, quote.price, quote.open)
    }
    changed.clear()
    chart.show(series.get(selected) ?? { at: [], prices: [] }, now / 1_000)
  })
  onFrame(TRENDS_EVERY_MS, (now) => {
    const isLive = client.status === "open" && now - (changedMs ?? now) < STALE_MS
    freshness.show(isLive, changedMs)
    for (const [symbol, known] of series) table.showTrend(symbol, sampled(known, TREND_POINTS))
  })
  select(selected)
}
