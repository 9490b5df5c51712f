import { symbols } from "../../symbols.ts"
import { element, write } from "../element.ts"
import { directionOf, formatChange, formatMany, formatPrice } from "../format.ts"

const COUNT_EVERY_MS = 1_000

/** The chosen symbol in large, and how lively the market is. */
export function createHeadline() {
  const symbolText = element("headline-symbol", HTMLElement)
  const nameText = element("headline-name", HTMLElement)
  const priceText = element("headline-price", HTMLElement)
  const changeText = element("headline-change", HTMLElement)
  const rate = element("rate", HTMLElement)
  let changes = 0

  setInterval(() => {
    write(rate, `${formatMany(changes, "change")} per second`)
    changes = 0
  }, COUNT_EVERY_MS)

  return {
    countChange: (): void => {
      changes++
    },
    show: (symbol: string, price: number, open: number): void => {
      write(symbolText, symbol)
      write(nameText, symbols.find((one) => one.symbol === symbol)?.name ?? "")
      write(priceText, formatPrice(price))
      write(changeText, formatChange(price, open))
      changeText.dataset.direction = directionOf(price, open)
    },
  }
}
