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

/** `feed` has events only, `board` every facet, `price` state under a rate cap. */
export function simulatedApp(keep: Keep) {
  return contract({
    "feed/:name": channel({
      events: { said: anything<Stamp>() },
      calls: { double: { input: anything<CallInput>(), output: anything<number>() } },
      keep,
    }),
    "board/:name": channel({
      events: { said: anything<Stamp>() },
      state: { value: anything<Stamp>() },
      presence: anything<Stamp>(),
      signals: { typing: anything<Stamp>() },
      calls: { double: { input: anything<CallInput>(), output: anything<number>() } },
      keep,
    }),
    "price/:name": channel({
      state: { value: anything<Stamp>() },
      rate: { perKeyPerSecond: 4 },
      keep,
    }),
  } satisfies Record<string, ChannelDefinition>)
}

export interface CallInput {
  readonly id: string
  readonly value: number
}

export type SimulatedApp = ReturnType<typeof simulatedApp>
export type Pattern = keyof SimulatedApp["channels"]

/** Clients may do everything. `handleCall` is told which calls were carried out. */
export function handlers(
  handleCall: (id: string) => void,
): NonNullable<HubOptions<SimulatedApp, undefined>["channels"]> {
  const said = ({ data }: { readonly data: Stamp }) => data
  const double = ({ input }: { readonly input: CallInput }) => {
    handleCall(input.id)
    return 2 * input.value
  }
  return {
    "feed/:name": { subscribe: true, events: { said }, calls: { double } },
    "board/:name": {
      subscribe: true,
      events: { said },
      state: { value: said },
      delete: { value: () => true },
      presence: said,
      signals: { typing: said },
      calls: { double },
    },
    "price/:name": { subscribe: true, state: { value: said }, delete: { value: () => true } },
  }
}
