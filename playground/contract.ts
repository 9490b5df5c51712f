import { channel, contract } from "holdfast"
import { z } from "zod"

/** Text that was trimmed and holds something. */
const text = (charactersMax: number) => z.string().trim().min(1).max(charactersMax)

const Name = text(24)
/** Drawn by the tab, so that it finds its own message among those that arrive. */
const Ref = z.string().min(1).max(40)

/** What the playground's server and its page agree on. */
export const app = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: text(500), name: Name, ref: Ref }),
        output: z.object({ text: z.string(), name: z.string(), ref: z.string(), member: z.string() }),
      },
    },
    presence: z.object({ name: Name }),
    signals: { typing: z.object({ name: Name }) },
    keep: { events: 500 },
  }),

  "market/:venue": channel({
    state: { quote: z.object({ price: z.number(), open: z.number() }) },
    rate: { perKeyPerSecond: 10 },
    calls: {
      /** What happened before the caller came: prices at even distances, oldest first, the last one now. */
      history: {
        input: z.object({}),
        output: z.object({ everyMs: z.number(), prices: z.record(z.string(), z.array(z.number())) }),
      },
    },
  }),

  pulse: channel({
    /**
     * Numbered without a hole, so that a subscriber that counts finds a loss. `run` names one life of the counter, `burst` is
     * the first number of a burst.
     */
    events: {
      beat: z.object({ run: z.string(), number: z.int().positive(), burst: z.int().optional() }),
    },
    keep: { events: 5_000 },
    calls: {
      burst: {
        input: z.object({ count: z.int().min(1).max(1_000) }),
        output: z.object({ published: z.int() }),
      },
      /** The caller's connection reads nothing for a while. */
      stopReading: {
        input: z.object({ seconds: z.number().min(1).max(10) }),
        /** What the server held for the connection at the end of it, in bytes. */
        output: z.object({ heldBytes: z.int() }),
      },
      /** What the node is called that serves the caller, if there are several. */
      node: { input: z.object({}), output: z.object({ name: z.string().nullable() }) },
      /** Cuts every connection without a word, as a server that crashes does. */
      dropEverybody: { input: z.object({}), output: z.object({ connections: z.int() }) },
    },
  }),
})
