import { element, write } from "../element.ts"
import { formatTime } from "../format.ts"

/** Marks the prices as old, for the eye and for a screen reader. */
export function createFreshness() {
  const panel = element("market", HTMLElement)
  const age = element("prices-age", HTMLElement)
  const headlineAge = element("headline-age", HTMLElement)
  const priceHead = element("price-head", HTMLElement)

  return {
    /** @param changedAtMs when the last price arrived, in ms since 1970; undefined before the first one */
    show: (isLive: boolean, changedAtMs: number | undefined): void => {
      panel.dataset.stale = String(!isLive)
      const since = changedAtMs === undefined ? "No prices yet" : `Not live since ${formatTime(changedAtMs)}`
      write(age, isLive ? "" : since)
      write(headlineAge, isLive ? "" : "not live")
      write(priceHead, isLive ? "Price" : "Price, not live")
    },
  }
}
