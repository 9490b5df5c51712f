import uPlot from "uplot"
import { formatPrice, formatTime } from "../format.ts"
import { onSchemeChange, palette } from "../palette.ts"
import { type Series, WINDOW_S } from "./series.ts"

/** The live chart of one symbol, as large as its box. */
export function createChart(box: HTMLElement) {
  let series: Series = { at: [], prices: [] }
  let chart = plot(box)

  function draw(nowS: number): void {
    chart.setData([series.at, series.prices], false)
    chart.setScale("x", { min: nowS - WINDOW_S, max: nowS })
  }

  new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box)
  onSchemeChange(() => {
    chart.destroy()
    chart = plot(box)
  })

  return {
    show: (shown: Series, nowS: number): void => {
      series = shown
      draw(nowS)
    },
  }
}

function plot(box: HTMLElement): uPlot {
  const colours = palette()
  const font = `11px ${getComputedStyle(document.body).fontFamily}`
  const axis = {
    stroke: colours.muted,
    font,
    ticks: { show: false },
    grid: { stroke: colours.line, width: 1 },
  }
  return new uPlot(
    {
      width: Math.max(1, box.clientWidth),
      height: Math.max(1, box.clientHeight),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 7 }, y: false },
      padding: [8, 0, 0, 0],
      scales: { x: { time: true }, y: { range: (_, low, high) => roomy(low, high) } },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 90, values: clocks },
        { ...axis, side: 1, size: 58, space: 36, values: (_, ticks) => ticks.map(formatPrice) },
      ],
      series: [
        {},
        { stroke: colours.accent, width: 1.75, fill: colours.accentWash, points: { show: false } },
      ],
    },
    [[], []],
    box,
  )
}

/** The prices with some air above and below, so that a quiet market does not fill the whole height. */
function roomy(low: number, high: number): [number, number] {
  const middle = (low + high) / 2
  const half = Math.max((high - low) * 0.6, middle * 0.0015)
  return [middle - half, middle + half]
}

/** The ticks as times of day; none so close to the left edge that it would be cut off. */
function clocks(chart: uPlot, ticks: readonly number[]): string[] {
  const first = (chart.scales.x?.min ?? 0) + 60 * (WINDOW_S / Math.max(120, chart.width)) * 0.5
  return ticks.map((atS) => (atS < first ? "" : formatTime(atS * 1_000)))
}
