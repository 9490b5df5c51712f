const WIDTH = 84
const HEIGHT = 22
const SVG = "http://www.w3.org/2000/svg"

/** A price's course in the size of a word. */
export function createSparkline(): { svg: SVGSVGElement; draw: (prices: readonly number[]) => void } {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("class", "spark")
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`)
  svg.setAttribute("aria-hidden", "true")
  const line = document.createElementNS(SVG, "polyline")
  svg.append(line)
  return { svg, draw: (prices) => line.setAttribute("points", pointsOf(prices)) }
}

function pointsOf(prices: readonly number[]): string {
  const low = Math.min(...prices)
  const range = Math.max(...prices) - low || 1
  const step = WIDTH / Math.max(1, prices.length - 1)
  return prices
    .map(
      (price, index) =>
        `${(index * step).toFixed(1)},${(HEIGHT - 1 - ((price - low) / range) * (HEIGHT - 2)).toFixed(1)}`,
    )
    .join(" ")
}
