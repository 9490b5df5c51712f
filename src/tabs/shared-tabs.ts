import { platformClock, platformEntropy } from "../client/platform.ts"
import type { Transport } from "../client/transport.ts"
import { reconnectsAfter } from "../protocol/close.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import { joinCrew } from "./crew.ts"
import { defaultTransports } from "./default-transports.ts"
import { Exchange } from "./exchange.ts"
import type { Station } from "./station.ts"
import { workerStation } from "./worker-station.ts"

/** How long what a client said last has to leave, after which a page without one leaves the others, in ms. */
const RETIRE_MS = 100

export interface SharedTabsOptions {
  /**
   * Which tabs of the origin share: those of the same name. They are one member of presence, with one token, so the name
   * should hold the user's. Default: `holdfast`.
   */
  readonly name?: string | undefined
  /** The same as `connect` has. Default: JSON. */
  readonly codec?: Codec<string> | Codec<Uint8Array> | undefined
  /**
   * How the server can be reached, the best first. Default: as `connect` does. With a worker, `serveTabs` is given as many.
   */
  readonly transports?: readonly Transport[] | undefined
  /**
   * Starts the worker that is to hold the connection, where there are such workers. Default: one of the tabs holds it.
   */
  readonly worker?: (() => SharedWorker) | undefined
}

/**
 * One connection for all tabs of an origin, as in `connect(url, { transport: sharedTabs({ name: userId }) })`. Each tab's client
 * goes on as if it had its own. Where a browser has no Web Locks, as on pages that came by plain http, each tab has.
 */
export function sharedTabs({
  name = "holdfast",
  worker,
  ...options
}: SharedTabsOptions = {}): readonly Transport[] {
  const codec = (options.codec ?? json) as Codec
  const transports = options.transports ?? defaultTransports(codec)
  const crew = `holdfast-tabs ${name}`
  let station: Station | undefined
  let workerFailed = false

  const crewStation = () =>
    joinCrew(crew, {
      uniqueId: platformEntropy.uniqueId,
      after: platformClock.after,
      makeExchange: (session, handleSession) =>
        new Exchange({ transports, clock: platformClock, codec, session, handleSession }),
    })
  const join = (): Station => {
    if (worker === undefined || workerFailed || typeof SharedWorker !== "function") return crewStation()
    return workerStation(crew, worker(), platformEntropy.uniqueId, () => {
      workerFailed = true
      station = crewStation()
      return station
    })
  }
  /** What a page does that is left, or frozen, others would wait for. It joins again with the next line that it opens. */
  const stop = (isGone: boolean) => {
    const stopped = station
    station = undefined
    stopped?.stop(isGone)
  }
  let listens = false
  let lines = 0
  /** A page that has no client any more does not hold the others' connection. */
  const retire = () => {
    platformClock.after(RETIRE_MS, () => {
      if (lines === 0) stop(false)
    })
  }

  const shared = (transport: Transport, by: number): Transport => ({
    ...transport,
    open: (url, events) => {
      if (globalThis.navigator?.locks === undefined || typeof BroadcastChannel !== "function") {
        return transport.open(url, events)
      }
      if (!listens) {
        addEventListener("pagehide", () => stop(true))
        document.addEventListener("freeze", () => stop(false))
        listens = true
      }
      station ??= join()
      lines++
      return station.open(by, url, {
        ...events,
        onClose: (code, reason) => {
          lines--
          if (!reconnectsAfter(code)) retire()
          events.onClose(code, reason)
        },
      })
    },
  })
  return transports.map(shared)
}
