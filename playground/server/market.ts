import { symbols } from "../symbols.ts"

export interface Quote {
  readonly price: number
  readonly open: number
}

/** How long a price stands, in ms, on the average. */
const TICK_MS = 50
const HISTORY_EVERY_MS = 500
const HISTORY_LENGTH = 240

/** What a market that several nodes have in common needs of the one that it runs on. */
export interface MarketPlace {
  readonly isLeading: () => boolean
  readonly publish: (symbol: string, quote: Quote) => void
  /** The prices as the log has them. */
  readonly quotes: () => Promise<ReadonlyMap<string, Quote>>
  readonly complain: (what: string, error: unknown) => void
}

/** A market that nobody trades on: prices that wander, and come home in the end. One node moves them, the others look on. */
export function createMarket({ isLeading, publish, quotes, complain }: MarketPlace) {
  const prices = new Map<string, number>(symbols.map(({ symbol, open }) => [symbol, open]))
  const momentum = new Map<string, number>()
  const history = new Map<string, number[]>(symbols.map(({ symbol, open }) => [symbol, [open]]))
  let isMadeUp = true

  function move(symbol: string, open: number): void {
    const price = prices.get(symbol) ?? open
    const push = (momentum.get(symbol) ?? 0) * 0.9 + (Math.random() - 0.5) * 0.0004
    momentum.set(symbol, push)
    const homeward = ((open - price) / open) * 0.0008
    prices.set(symbol, price * (1 + push + homeward))
  }

  function tick(): void {
    if (isMadeUp || !isLeading()) return
    for (const { symbol, open } of symbols) {
      move(symbol, open)
      publish(symbol, { price: rounded(prices.get(symbol) ?? open), open })
    }
  }

  /** Takes the prices over from the log. A past that was made up is moved, so that it leads there. */
  async function follow(): Promise<void> {
    for (const [symbol, { price }] of await quotes()) {
      const factor = price / (prices.get(symbol) ?? price)
      const past = history.get(symbol)
      if (isMadeUp && past !== undefined)
        history.set(
          symbol,
          past.map((each) => rounded(each * factor)),
        )
      prices.set(symbol, price)
    }
    isMadeUp = false
  }

  function remember(): void {
    for (const [symbol, past] of history) {
      past.push(rounded(prices.get(symbol) ?? 0))
      if (past.length > HISTORY_LENGTH) past.shift()
    }
  }

  /** Makes up what came before: a chart that begins empty shows nothing for a minute. */
  function imagine(): void {
    isMadeUp = true
    for (let step = 0; step < (HISTORY_LENGTH * HISTORY_EVERY_MS) / TICK_MS; step++) {
      for (const { symbol, open } of symbols) move(symbol, open)
      if (step % (HISTORY_EVERY_MS / TICK_MS) === 0) remember()
    }
  }

  const look = () => follow().catch((error: unknown) => complain("The quotes could not be read", error))
  let timers: ReturnType<typeof setInterval>[] = []
  return {
    history: () => ({ everyMs: HISTORY_EVERY_MS, prices: Object.fromEntries(history) }),
    start: () => {
      imagine()
      void look()
      const keep = async () => {
        if (isMadeUp || !isLeading()) await look()
        remember()
      }
      timers = [setInterval(tick, TICK_MS), setInterval(keep, HISTORY_EVERY_MS)]
    },
    stop: () => {
      for (const timer of timers) clearInterval(timer)
    },
  }
}

function rounded(price: number): number {
  return Math.round(price * 100) / 100
}
