import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"

/** A contract with every facet, for tests of the hub. */
export const room = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: z.string().max(20) }),
        output: z.object({ text: z.string(), by: z.string() }),
      },
      closed: z.object({}),
    },
    state: { topic: z.string() },
    presence: {
      input: z.object({ mood: z.string() }),
      output: z.object({ name: z.string(), mood: z.string() }),
    },
    signals: { typing: z.object({ on: z.boolean() }) },
    calls: {
      double: {
        input: z.object({ value: z.number() }),
        output: z.number(),
        errors: { odd: z.object({ value: z.number() }) },
      },
      break: { input: z.null(), output: z.null() },
      hang: { input: z.null(), output: z.null() },
    },
    keep: { events: 10 },
  }),
  "plain/:name": channel({ events: { tick: z.number() } }),
  "secret/:name": channel({ events: { tick: z.number() } }),
  "capped/:name": channel({ state: { price: z.number() }, rate: { perKeyPerSecond: 10 } }),
})

/** What clients may do there: everything but subscribe to secrets. */
export const handlers = {
  "room/:room": {
    subscribe: true,
    events: { said: ({ data }: { data: { text: string } }) => ({ text: data.text, by: "somebody" }) },
    state: { topic: ({ data }: { data: string }) => data },
    delete: { topic: ({ key }: { key: string }) => key !== "fixed" },
    presence: ({ data }: { data: { mood: string } }) => ({ name: "somebody", mood: data.mood }),
    signals: { typing: ({ data }: { data: { on: boolean } }) => data },
    calls: {
      double: ({
        input,
        fail,
      }: {
        input: { value: number }
        fail: (code: "odd", data: { value: number }) => never
      }) => (input.value % 2 === 1 ? fail("odd", { value: input.value }) : 2 * input.value),
      break: () => {
        throw new Error("the database password is hunter2")
      },
      hang: () => new Promise<null>(() => {}),
    },
  },
  "plain/:name": { subscribe: true },
  "capped/:name": { subscribe: true },
} as const
