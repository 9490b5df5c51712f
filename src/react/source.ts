import type { AnyDefinition } from "../client/channel.ts"
import type { Channel, Client, ConnectionStatus } from "../client/index.ts"
import type { Contract } from "../contract/index.ts"
import { Lease } from "./lease.ts"
import { SharedChannel } from "./shared-channel.ts"
import type { Timing } from "./timing.ts"
import { Batch, View } from "./view.ts"

/** How the connection stands. */
export interface ConnectionInfo {
  readonly status: ConnectionStatus
  /** How long it was until the next attempt when the status became `waiting`, in ms; undefined otherwise. */
  readonly retryInMs: number | undefined
  /** This client's public name in presence and signals; undefined before the first connection. */
  readonly member: string | undefined
  /** How many messages wait for their answer. */
  readonly pending: number
  /** By what it is connected, or was last: `websocket`, `sse` or `poll`; undefined before the first connection. */
  readonly transport: string | undefined
  /** Whether the server can reach its log: while it cannot, nothing arrives, and what is published waits. */
  readonly logAvailable: boolean
}

export const CONNECTION_AT_FIRST: ConnectionInfo = {
  status: "connecting",
  retryInMs: undefined,
  member: undefined,
  pending: 0,
  transport: undefined,
  logAvailable: true,
}

export interface SourceOptions {
  readonly timing: Timing
  /** How long what no component uses any more is kept, in ms. */
  readonly lingerMs: number
}

export type OpenChannel = (client: Client<Contract>) => Channel<AnyDefinition>

/** One client and its channels, for as long as components use them. Making it connects nothing. */
export class Source {
  readonly connection: View<ConnectionInfo>
  readonly #client: Lease<Client<Contract>>
  readonly #channels = new Map<string, Lease<SharedChannel>>()
  readonly #options: SourceOptions
  readonly #batch: Batch

  constructor(connect: () => Client<Contract>, options: SourceOptions) {
    this.#options = options
    this.#batch = new Batch(options.timing.nextFrame)
    this.#client = new Lease({
      make: () => this.#watched(connect()),
      end: (client) => {
        client.close()
        this.connection.touch()
      },
      later: (task) => options.timing.after(options.lingerMs, task),
    })
    let shown = CONNECTION_AT_FIRST
    this.connection = new View(this.#batch, () => {
      const next = connectionOf(this.#client.current)
      if (!sameConnection(shown, next)) shown = next
      return shown
    })
  }

  /** The client, if there is one. */
  get client(): Client<Contract> | undefined {
    return this.#client.current
  }

  /** Connects, unless that is done. Returns how to say that it is used no more. */
  use(): () => void {
    return this.#client.use()[1]
  }

  /** Connects too, as whoever wants to know how the connection stands wants one. */
  readonly watchConnection = (listener: () => void): (() => void) => {
    const release = this.use()
    const unwatch = this.connection.watch(listener)
    return () => {
      unwatch()
      release()
    }
  }

  channel(name: string): SharedChannel | undefined {
    return this.#channels.get(name)?.current
  }

  /** @throws HoldfastError `closed` when the server has ended the connection for good */
  acquire(name: string, open: OpenChannel): readonly [SharedChannel, release: () => void] {
    const lease = this.#channels.get(name) ?? this.#leaseOf(name, open)
    const used = lease.use()
    this.#channels.set(name, lease)
    return used
  }

  #leaseOf(name: string, open: OpenChannel): Lease<SharedChannel> {
    const { timing, lingerMs } = this.#options
    let release = () => {}
    return new Lease<SharedChannel>({
      make: () => {
        const [client, releaseClient] = this.#client.use()
        release = releaseClient
        try {
          return new SharedChannel(open(client), { batch: this.#batch, timing, lingerMs })
        } catch (error) {
          release()
          throw error
        }
      },
      end: ({ channel }) => {
        this.#channels.delete(name)
        channel.close()
        release()
      },
      later: (task) => timing.after(lingerMs, task),
    })
  }

  #watched(client: Client<Contract>): Client<Contract> {
    const touch = () => this.connection.touch()
    client.on("status", touch)
    client.on("pending", touch)
    client.on("transport", touch)
    client.on("log", touch)
    touch()
    return client
  }
}

function connectionOf(client: Client<Contract> | undefined): ConnectionInfo {
  if (client === undefined) return CONNECTION_AT_FIRST
  const { status, retryInMs, member, pending, transport, logAvailable } = client
  return { status, retryInMs, member, pending, transport, logAvailable }
}

/** What remains of the wait counts down by itself, so it is no change. */
function sameConnection(a: ConnectionInfo, b: ConnectionInfo): boolean {
  const { retryInMs: _, ...rest } = a
  return Object.entries(rest).every(([name, value]) => b[name as keyof ConnectionInfo] === value)
}
