import type { Contract, Definitions } from "../contract/index.ts"
import { formatName, type Params } from "../contract/pattern.ts"
import type { Codec } from "../protocol/codec.ts"
import { HoldfastError } from "../protocol/error.ts"
import { json } from "../protocol/json.ts"
import { subprotocols } from "../protocol/message.ts"
import type { Backoff } from "./backoff.ts"
import type { AnyDefinition, Channel, ChannelOptions } from "./channel.ts"
import type { Clock } from "./clock.ts"
import { type Device, platformDevice } from "./device.ts"
import { createDriver } from "./driver.ts"
import type { Entropy } from "./entropy.ts"
import type { ClientEvents, Face } from "./face.ts"
import { httpTransport } from "./http.ts"
import { Listeners } from "./listeners.ts"
import { openChannel } from "./open-channel.ts"
import type { OutboxStore } from "./outbox-store.ts"
import {
  kept,
  pageUrl,
  platformClock,
  platformEntropy,
  platformWebSocket,
  report,
  throwLater,
} from "./platform.ts"
import type { OwnPresence } from "./presence-view.ts"
import { createRoute } from "./route.ts"
import type { Transport } from "./transport.ts"
import { type WebSocketConstructor, webSocketTransport } from "./websocket.ts"

export interface ConnectOptions {
  /** What the server's `authenticate` is given. A function is asked again whenever a fresh token is needed. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Default: JSON. MessagePack is `msgpack` of `holdfast/msgpack`. */
  readonly codec?: Codec<string> | Codec<Uint8Array> | undefined
  /** Default: the global one. Node before 22 has none: pass that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** What may be tried, the best first. Default: `["websocket", "sse", "poll"]`. */
  readonly transports?: readonly ("websocket" | "sse" | "poll")[] | undefined
  /** Other ways to reach the server, the best first. */
  readonly transport?: Transport | readonly Transport[] | undefined
  readonly backoff?: { readonly [Name in keyof Backoff]?: Backoff[Name] | undefined } | undefined
  /** How long one attempt to connect may take, in ms. Default 20,000, or 2,500 while there is another transport to try. */
  readonly connectTimeoutMs?: number | undefined
  /** How long a publish waits for its acknowledgement, reconnects included, in ms. Default: as long as it takes. */
  readonly publishTimeoutMs?: number | undefined
  /** How long a call waits for its answer, in ms. Default 10,000. */
  readonly callTimeoutMs?: number | undefined
  readonly outbox?:
    | {
        /** How many messages may wait for their answer. Default 1,000; one more is refused with `outbox_full`. */
        readonly entriesMax?: number | undefined
        /** Keeps what was published also when the page is left. Default: none. `holdfast/outbox` has one. */
        readonly store?: OutboxStore | undefined
      }
    | undefined
  /** How many events an iterator holds that were not taken. Default 10,000; at one more it ends with `buffer_full`. */
  readonly bufferedEventsMax?: number | undefined
  /** The secret behind this client's name in presence, 22 characters or more. Default: drawn at random. */
  readonly session?: string | undefined
  readonly clock?: Clock | undefined
  readonly entropy?: Entropy | undefined
  /** Tells what happens to the machine. Default: the browser's events, and the wall clock; with a `clock`, none. */
  readonly device?: Device | undefined
}

type ChannelArguments<P extends string> = keyof Params<P> extends never
  ? [params?: Record<string, never>, options?: ChannelOptions]
  : [params: Params<P>, options?: ChannelOptions]

/** A client of one server. Connects by itself, comes back by itself, until it is closed. */
export interface Client<C extends Contract> extends Face {
  /** Returns how to take the listener off. */
  readonly on: <E extends keyof ClientEvents>(
    event: E,
    listener: (...told: ClientEvents[E]) => void,
  ) => () => void
  /**
   * The channel for a pattern of the contract with its parameters filled in. The same name gives the same object, until
   * that is closed; `options` count for the first.
   * @throws TypeError when a parameter is missing or empty, HoldfastError `closed`
   */
  readonly channel: <P extends keyof Definitions<C> & string>(
    pattern: P,
    ...rest: ChannelArguments<P>
  ) => Channel<Definitions<C>[P]>
  /**
   * Ends it. Everything that waits for an answer is rejected with `closed` and not sent any more, whether it was kept
   * durably or not; to have it sent first, await the promises that `publish` returned.
   */
  readonly close: () => void
}

/**
 * Connects to a server of the contract `C`, as in `connect<typeof app>("wss://example.com")`. `http` and `https` stand for
 * `ws` and `wss`; without a path it is `/holdfast`.
 * @throws TypeError when the URL is none, or no WebSocket is there.
 */
export function connect<C extends Contract>(url: string, options: ConnectOptions = {}): Client<C> {
  const { token, codec = json, entropy = platformEntropy, outbox = {}, backoff = {} } = options
  const listeners = new Listeners<ClientEvents>()
  const channels = new Map<string, Channel<AnyDefinition>>()
  const leaving = new Map<string, OwnPresence>()
  const keyPrefix = entropy.uniqueId()
  let keys = 0

  const handleError = (error: unknown) => listeners.tell(throwLater, "error", [error])
  /** A defect of the application must not go unnoticed, nor a refusal; a network that comes and goes may. */
  const handleDefect = (error: unknown) =>
    handleError(error) || (error instanceof HoldfastError ? report : throwLater)(error)

  const address = addressOf(url)
  const transports = transportsOf(options, codec as Codec)
  const place = `holdfast ${address}`
  const driver = createDriver(
    {
      url: address,
      session: options.session ?? entropy.uniqueId(),
      hasToken: token !== undefined,
      backoff: { minMs: backoff.minMs ?? 250, maxMs: backoff.maxMs ?? 15_000 },
      connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
      outboxEntriesMax: outbox.entriesMax ?? 1_000,
      random: entropy.random,
      route: createRoute(
        transports.length,
        Math.max(
          0,
          transports.findIndex(({ name }) => name === kept(place)),
        ),
        entropy.random,
        (best) => kept(place, transports[best]?.name),
      ),
    },
    {
      transports,
      clock: options.clock ?? platformClock,
      codec: codec as Codec,
      store: outbox.store,
      fetchToken: typeof token === "function" ? token : () => token as string,
      tell: (event, ...told) => {
        if (event === "error") {
          const [error] = told as [HoldfastError]
          if (!handleError(error) && error.code === "unauthorized") report(error)
        } else listeners.tell(handleDefect, event, told as never)
      },
    },
  )
  const stopWatching = (options.device ?? (options.clock ? undefined : platformDevice))?.({
    onChange: driver.nudge,
    onFreeze: driver.suspend,
  })

  const client: Omit<Client<C>, keyof Face> = {
    on: (event, listener) => listeners.add(event, listener),
    channel: (pattern, ...[params, { history } = {}]) => {
      const name = formatName(pattern, params ?? {})
      let channel = channels.get(name)
      if (channel === undefined) {
        // what the server does not take would end the connection
        if (
          typeof history === "object" &&
          !(history.last % 1 === 0 && history.last > 0 && history.last <= 10_000)
        ) {
          throw new TypeError("history.last is a number from 1 to 10,000")
        }
        channel = openChannel(name, history, {
          driver,
          idempotencyKey: () => `${keyPrefix}-${++keys}`,
          publishTimeoutMs: options.publishTimeoutMs,
          callTimeoutMs: options.callTimeoutMs ?? 10_000,
          bufferedEventsMax: options.bufferedEventsMax ?? 10_000,
          handleError: handleDefect,
          handleClose: () => channels.delete(name),
          leaving,
        })
        channels.set(name, channel)
      }
      return channel as never
    },
    close: () => {
      stopWatching?.()
      driver.close()
    },
  }
  // what is read of the face is read anew each time
  return Object.assign(driver.face, client)
}

/** @throws TypeError when there is none */
function transportsOf(
  { transport, transports, WebSocket }: ConnectOptions,
  codec: Codec,
): readonly Transport[] {
  const socket = WebSocket ?? platformWebSocket()
  const all = transport
    ? [transport].flat()
    : (transports ?? (["websocket", "sse", "poll"] as const)).flatMap((name) => {
        if (name !== "websocket") return [httpTransport(name, codec)]
        return socket ? [webSocketTransport(socket, subprotocols[codec.name])] : []
      })
  if (all.length === 0) throw new TypeError("No WebSocket here: pass one, such as that of ws")
  return all
}

/** @throws TypeError */
function addressOf(url: string): string {
  let address: URL | undefined
  try {
    address = new URL(url, pageUrl())
  } catch {
    // told below
  }
  // localhost:8080 is a URL too, with the scheme "localhost"
  if (!address?.host) throw new TypeError(`"${url}" is no URL of a server, as wss://example.com is`)
  address.protocol = address.protocol.replace("http", "ws")
  if (address.pathname === "/") address.pathname = "/holdfast"
  return address.href
}
