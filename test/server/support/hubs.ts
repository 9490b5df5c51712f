import { channel, contract } from "holdfast"
import { type CreateHubOptions, createHub, type Hub, type Logger } from "holdfast/server"
import { onTestFinished } from "vitest"
import { z } from "zod"

export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }), blob: z.object({ bytes: z.instanceof(Uint8Array) }) },
    state: { topic: z.string() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
    calls: {
      double: { input: z.number(), output: z.number(), errors: { too_large: z.object({ max: z.number() }) } },
      repeat: { input: z.string(), output: z.string() },
      boom: { input: z.null(), output: z.null() },
    },
  }),
})

type App = typeof app
type Options = CreateHubOptions<App, undefined>

const room: NonNullable<NonNullable<Options["channels"]>["room/:room"]> = {
  subscribe: true,
  events: { said: ({ data }) => data, blob: ({ data }) => data },
  state: { topic: ({ data }) => data },
  presence: ({ data }) => data,
  signals: { typing: ({ data }) => data },
  calls: {
    double: ({ input, fail }) => (input > 1000 ? fail("too_large", { max: 1000 }) : input * 2),
    repeat: ({ input }) => input,
    boom: () => {
      throw new Error("a secret of the server")
    },
  },
}

export interface LoggedLine {
  readonly level: "warn" | "error"
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger whose lines a test can read. */
export function recordingLogger(): Logger & { readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = []
  return {
    lines,
    warn: (text, fields) => lines.push({ level: "warn", text, fields }),
    error: (text, fields) => lines.push({ level: "error", text, fields }),
  }
}

/** A hub with one kind of room where everything is allowed. It is closed when the test is over. */
export function createTestHub(options: Options = {}): Hub<App, undefined> {
  const hub = createHub<App>(app, { channels: { "room/:room": room }, logger: recordingLogger(), ...options })
  onTestFinished(() => hub.close())
  return hub
}

/** The same, listening on a free port. */
export async function startTestHub(
  options: Options = {},
): Promise<{ hub: Hub<App, undefined>; url: string; port: number }> {
  const hub = createTestHub(options)
  return { hub, ...(await hub.listen({ port: 0 })) }
}
