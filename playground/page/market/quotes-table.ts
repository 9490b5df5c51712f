import { element, make, write } from "../element.ts"
import { directionOf, formatChange, formatPrice } from "../format.ts"
import { createSparkline } from "./sparkline.ts"

export interface QuoteRow {
  readonly symbol: string
  readonly name: string
}

interface Row {
  readonly row: HTMLTableRowElement
  readonly button: HTMLButtonElement
  readonly price: HTMLElement
  readonly change: HTMLElement
  readonly trend: HTMLElement
  readonly drawTrend: (prices: readonly number[]) => void
}

/** The symbols with their prices; choosing one shows it in the chart. */
export function createQuotesTable(quotes: readonly QuoteRow[], onSelect: (symbol: string) => void) {
  const body = element("quotes", HTMLTableSectionElement)
  const rows = new Map<string, Row>()
  for (const quote of quotes) {
    const row = makeRow(quote)
    row.row.addEventListener("click", () => onSelect(quote.symbol))
    rows.set(quote.symbol, row)
    body.append(row.row)
  }

  return {
    showQuote: (symbol: string, price: number, open: number): void => {
      const row = rows.get(symbol)
      if (row === undefined) return
      write(row.price, formatPrice(price))
      write(row.change, formatChange(price, open))
      row.change.dataset.direction = directionOf(price, open)
      row.trend.dataset.direction = directionOf(price, open)
    },
    showTrend: (symbol: string, prices: readonly number[]): void => {
      const row = rows.get(symbol)
      if (row === undefined || prices.length < 2) return
      row.drawTrend(prices)
    },
    select: (symbol: string): void => {
      for (const [other, row] of rows) {
        row.row.dataset.selected = String(other === symbol)
        row.button.setAttribute("aria-pressed", String(other === symbol))
      }
    },
  }
}

function makeRow({ symbol, name }: QuoteRow): Row {
  const button = make("button", "", symbol)
  button.type = "button"
  button.title = name
  const sparkline = createSparkline()
  const trend = make("td", "trend", sparkline.svg)
  const price = make("td", "price", "–")
  const change = make("td", "change", "\u00a0")
  const head = make("th", "", button)
  head.scope = "row"
  const row = make("tr", "", head, trend, price, change)
  return { row, button, price, change, trend, drawTrend: sparkline.draw }
}
