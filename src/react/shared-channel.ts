import type { AnyDefinition } from "../client/channel.ts"
import type { Channel } from "../client/index.ts"
import { type ChannelStatus, type CodedError, channelStatus, type StatusView } from "./channel-status.ts"
import { eventList } from "./event-list.ts"
import { Lease } from "./lease.ts"
import { recentSignals } from "./recent-signals.ts"
import type { Timing } from "./timing.ts"
import { type Batch, View } from "./view.ts"

export interface SharedChannelPorts {
  readonly batch: Batch
  readonly timing: Timing
  readonly lingerMs: number
}

/** What of a channel can be shown. */
export type Facet =
  | { readonly of: "status" }
  | { readonly of: "events"; readonly names: readonly string[]; readonly last: number }
  | { readonly of: "state"; readonly name: string }
  | { readonly of: "members" }
  | { readonly of: "signals"; readonly name: string; readonly forMs: number }

type Values = ReadonlyMap<string, unknown>

/** A channel that components use, and what they show of it: made once, whoever shows it, and kept as long as the channel. */
export class SharedChannel {
  readonly channel: Channel<AnyDefinition>
  readonly #ports: SharedChannelPorts
  readonly #views = new Map<string, View<unknown>>()
  readonly #place: Lease<unknown>
  /** What this client has entered with, as text. */
  #entered: string | undefined
  #status: StatusView | undefined

  constructor(channel: Channel<AnyDefinition>, ports: SharedChannelPorts) {
    this.channel = channel
    this.#ports = ports
    this.#place = new Lease<unknown>({
      make: () => undefined,
      end: () => {
        this.#entered = undefined
        // nobody is there to be told
        channel.presence.leave().catch(() => undefined)
      },
      later: (task) => ports.timing.after(ports.lingerMs, task),
    })
  }

  /** The view of a facet whose text is `key`, if there is one: to look for it changes nothing. */
  peek(key: string): View<unknown> | undefined {
    return this.#views.get(key)
  }

  view(key: string): View<unknown> {
    const view = this.#views.get(key) ?? this.#make(JSON.parse(key))
    this.#views.set(key, view)
    return view
  }

  /** Enters with `data`, of which `text` tells whether it is another than before. Returns how to leave. */
  enter(data: unknown, text: string): () => void {
    const [, release] = this.#place.use()
    if (this.#entered !== text) {
      this.#entered = text
      this.channel.presence.enter(data).catch((error: CodedError) => {
        if (this.#entered === text) this.#entered = undefined
        if (error.code === "closed") return
        // where nobody shows it, it is as loud as any promise that nobody caught
        if (this.#status === undefined) throw error
        this.#status.fail(error)
      })
    }
    return release
  }

  #make(facet: Facet): View<unknown> {
    const { channel } = this
    const { batch, timing } = this.#ports
    if (facet.of === "status") return this.#makeStatus()
    if (facet.of === "events") return eventList(channel, facet.names, facet.last, batch)
    if (facet.of === "signals") return recentSignals(channel, facet.name, facet.forMs, batch, timing.after)
    if (facet.of === "members") {
      const { presence } = channel
      return this.#follow(
        () => new Map(presence.members),
        (touch) => presence.onChange(touch),
      )
    }
    const state = channel.state(facet.name)
    return this.#follow(
      () => new Map(state.entries()),
      (touch) => state.onChange(touch),
    )
  }

  #makeStatus(): View<ChannelStatus> {
    this.#status = channelStatus(this.channel, this.#ports.batch)
    return this.#status.view
  }

  #follow(make: () => Values, listen: (touch: () => void) => void): View<Values> {
    const view = new View(this.#ports.batch, make)
    listen(() => view.touch())
    return view
  }
}
