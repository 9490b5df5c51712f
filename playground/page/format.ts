const counts = new Intl.NumberFormat("en")
const prices = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const times = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" })

/** 1204 as `1,204`. */
export const formatCount = (count: number): string => counts.format(count)

/** `1 event`, `2 events`. */
export const formatMany = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`

export const formatPrice = (price: number): string => prices.format(price)

/** ms since 1970 as the local time of day, `14:03:22`. */
export const formatTime = (at: number): string => times.format(at)

/** How far `price` stands from `open`, as `▲ 1.20%`. */
export function formatChange(price: number, open: number): string {
  const percent = ((price - open) / open) * 100
  return `${percent >= 0 ? "▲" : "▼"} ${prices.format(Math.abs(percent))}%`
}

/** ms as `0.4 s`, `12 s`. */
export function formatSeconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`
}

export type Direction = "up" | "down"

export const directionOf = (price: number, reference: number): Direction =>
  price >= reference ? "up" : "down"
