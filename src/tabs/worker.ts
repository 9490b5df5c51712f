import { platformClock } from "../client/platform.ts"
import type { Transport } from "../client/transport.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import { portDuct } from "./browser-ducts.ts"
import { defaultTransports } from "./default-transports.ts"
import { hostLine } from "./duct.ts"
import { Exchange } from "./exchange.ts"
import { Guests } from "./guests.ts"
import type { WorkerWord } from "./worker-station.ts"

export interface ServeTabsOptions {
  /** The same as the tabs' `connect` has. Default: JSON. */
  readonly codec?: Codec<string> | Codec<Uint8Array> | undefined
  /** How the server can be reached, the best first. As many as the tabs have. Default: as `connect` does. */
  readonly transports?: readonly Transport[] | undefined
}

/**
 * Holds the connection of all tabs: to be called once, where the script of a `SharedWorker` begins, which `sharedTabs` is
 * given.
 */
export function serveTabs(options: ServeTabsOptions = {}): void {
  const codec = (options.codec ?? json) as Codec
  const transports = options.transports ?? defaultTransports(codec)
  const places = new Map<string, { readonly exchange: Exchange; readonly guests: Guests }>()
  let lines = 0

  const placeOf = (name: string) => {
    const place = places.get(name) ?? {
      guests: new Guests(name),
      // the worker lives as long as any tab, so there is nobody to hand the session on to
      exchange: new Exchange({
        transports,
        clock: platformClock,
        codec,
        session: undefined,
        handleSession: () => {},
      }),
    }
    places.set(name, place)
    return place
  }
  addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports
    if (port === undefined) return
    port.onmessage = ({ data: { name, tab, by, url }, ports: [line] }: MessageEvent<WorkerWord>) => {
      const { exchange, guests } = placeOf(name)
      if (line !== undefined)
        guests.host(tab, `${++lines}`, (done) =>
          hostLine(portDuct(line), (port) => exchange.open(by, url, port), done),
        )
    }
  })
}
