import { type Clock, NEVER_MS } from "./clock.ts"

export interface TurnPorts {
  /** Called once behind each input from outside, when the machines may have something to say. */
  readonly handleEnd: () => void
  readonly nextTimeoutMs: () => number
  readonly handleTimeout: (nowMs: number) => void
}

export interface Turns {
  /** Something happens. */
  readonly input: (handle: (nowMs: number) => void) => void
  /** Something happens after so long. Returns how to have it not happen. */
  readonly inputLater: (ms: number, handle: (nowMs: number) => void) => () => void
  /** Tells somebody something, when everything is in place. */
  readonly later: (news: () => void) => void
}

/**
 * Lets one thing happen after the other: the machines take it in, do what follows from it, are woken in time, and only then is it
 * told, so that listeners find everything in place and may use the client at will.
 */
export function createTurns(clock: Clock, ports: TurnPorts): Turns {
  const news: (() => void)[] = []
  let working = false
  let telling = false
  let wakeAtMs = NEVER_MS
  let cancelWake: (() => void) | undefined

  const input: Turns["input"] = (handle) => {
    handle(clock.monotonic())
    if (working) return
    working = true
    ports.handleEnd()
    working = false
    arm()
    if (telling) return
    telling = true
    // also what is added meanwhile, behind it
    for (const each of news) each()
    news.length = 0
    telling = false
  }
  const inputLater: Turns["inputLater"] = (ms, handle) => clock.after(ms, () => input(handle))

  /** A timer that comes too early is left, as it costs less. */
  const arm = () => {
    const nextMs = ports.nextTimeoutMs()
    const isNever = nextMs === NEVER_MS
    if (nextMs >= wakeAtMs && !isNever) return
    cancelWake?.()
    wakeAtMs = nextMs
    if (isNever) return
    cancelWake = inputLater(Math.max(0, nextMs - clock.monotonic()), (nowMs) => {
      wakeAtMs = NEVER_MS
      ports.handleTimeout(nowMs)
    })
  }

  return { input, inputLater, later: (tell) => void news.push(tell) }
}
