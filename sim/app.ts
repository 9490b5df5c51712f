import { type ChannelDefinition, channel, contract, type Keep, type Schema } from "holdfast"
import type { HubOptions } from "holdfast/testing"

/** What every payload carries: which operation made it. No two operations have the same id. */
export interface Stamp {
  readonly id: string
  readonly padding: string
}

/** A schema that takes everything: what the simulation checks lies behind validation. */
function anything<T>(): Schema<T> {
  return { "~standard": { version: 1, vendor: "holdfast-sim", validate: (value) => ({ value: value as T }) } }
}

export const kinds = ["feed", "board", "price", "tale"] as const
/** The pattern of a channel is its kind and a name. */
export type Kind = (typeof kinds)[number]

export function kindOf(channel: string): Kind {
  return channel.split("/")[0] as Kind
}

/** What a channel retains, all of it chosen. */
export type KeepLimits = { readonly [Name in keyof Keep]-?: number }
/** What the channels of each kind retain. */
export type Keeps = Readonly<Record<Kind, KeepLimits>>

/**
 * `feed` has events only, `board` every facet and so several collections, `price` state under a rate cap, `tale` what the server's own
 * code loads.
 */
export function simulatedApp(keeps: Keeps) {
  return contract({
    "feed/:name": channel({
      events: { said: anything<Stamp>() },
      calls: { double: { input: anything<CallInput>(), output: anything<number>() } },
      keep: keeps.feed,
    }),
    "board/:name": channel({
      events: { said: anything<Stamp>() },
      state: { value: anything<Stamp>(), mark: anything<Stamp>() },
      presence: anything<Stamp>(),
      signals: { typing: anything<Stamp>() },
      calls: { double: { input: anything<CallInput>(), output: anything<number>() } },
      keep: keeps.board,
    }),
    "price/:name": channel({
      state: { value: anything<Stamp>() },
      rate: { perKeyPerSecond: 4 },
      keep: keeps.price,
    }),
    "tale/:name": channel({
      events: { said: anything<Stamp>() },
      snapshot: anything<readonly string[]>(),
      keep: keeps.tale,
    }),
  } satisfies Record<string, ChannelDefinition>)
}

export interface CallInput {
  readonly id: string
  readonly value: number
}

export type SimulatedApp = ReturnType<typeof simulatedApp>
export type Pattern = keyof SimulatedApp["channels"]

/** Every channel that a run may have. */
export const CHANNELS = ["feed/a", "feed/b", "board/a", "board/b", "price/a", "tale/a"] as const

/** What a channel has, by its name. */
export function hasEvents(channel: string): boolean {
  return !channel.startsWith("price")
}
export function hasState(channel: string): boolean {
  return statesOf(channel).length > 0
}
/** Typed as those of the channel that has all of them. */
export function statesOf(channel: string): readonly ("value" | "mark")[] {
  if (channel.startsWith("board")) return ["value", "mark"]
  return channel.startsWith("price") ? ["value"] : []
}
export function hasPresence(channel: string): boolean {
  return channel.startsWith("board")
}
export function isLoaded(channel: string): boolean {
  return channel.startsWith("tale")
}

export interface HandlerPorts {
  /** Told which calls were carried out. */
  readonly handleCall: (id: string) => void
  /** How long a handler takes. */
  readonly pause: () => Promise<void> | undefined
  readonly load: (channel: string) => Promise<readonly string[]>
}

/** Clients may do everything. */
export function handlers({
  handleCall,
  pause,
  load,
}: HandlerPorts): NonNullable<HubOptions<SimulatedApp, undefined>["channels"]> {
  const said = async ({ data }: { readonly data: Stamp }) => {
    await pause()
    return data
  }
  const double = ({ input }: { readonly input: CallInput }) => {
    handleCall(input.id)
    return 2 * input.value
  }
  return {
    "feed/:name": { subscribe: true, events: { said }, calls: { double } },
    "board/:name": {
      subscribe: true,
      events: { said },
      state: { value: said, mark: said },
      delete: { value: () => true, mark: () => true },
      presence: said,
      signals: { typing: ({ data }) => data },
      calls: { double },
    },
    "price/:name": { subscribe: true, state: { value: said }, delete: { value: () => true } },
    "tale/:name": {
      subscribe: true,
      events: { said },
      snapshot: ({ params }) => load(`tale/${params.name}`),
    },
  }
}
