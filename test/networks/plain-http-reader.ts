import { onTestFinished } from "vitest"
import { json } from "../../src/protocol/json.ts"
import type { ServerMessage } from "../../src/protocol/message.ts"
import { type Reader, type Tally, tally } from "./reader.ts"

/** Between two requests that fail, in ms. */
const BACKOFF_MS = 20

/** Reads server-sent events as a browser's EventSource does, and resumes with the id that came last. */
export async function readEvents(port: number): Promise<Reader> {
  const url = `http://127.0.0.1:${port}/holdfast/events?channel=counter`
  let lastEventId: string | undefined
  return repeat(async (notes, signal, begun) => {
    const headers = lastEventId === undefined ? undefined : { "Last-Event-ID": lastEventId }
    const response = await fetch(url, { signal, ...(headers && { headers }) })
    if (!response.ok || response.body === null) throw new Error(`${response.status}`)
    let text = ""
    for await (const chunk of response.body.pipeThrough(
      new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>,
    )) {
      const blocks = (text + chunk).split("\n\n")
      text = blocks.pop() ?? ""
      for (const block of blocks) {
        const [, id] = /^id: (.*)$/m.exec(block) ?? []
        const [, data] = /^data: (.*)$/m.exec(block) ?? []
        if (data !== undefined) take(notes, json.decode(data) as ServerMessage, begun)
        if (id !== undefined) lastEventId = id
      }
    }
    throw new Error("the stream is over")
  })
}

/** Reads by polling, with the position that the last answer left. */
export async function readPolls(port: number, waitMs = 25_000): Promise<Reader> {
  const url = `http://127.0.0.1:${port}/holdfast/poll`
  const session = crypto.randomUUID()
  let position: { epoch: string; offset: number } | undefined
  return repeat(async (notes, signal, begun) => {
    const body = { session, waitMs, subscriptions: [{ channel: "counter", ...(position && { position }) }] }
    const response = await fetch(url, {
      signal,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status}`)
    const { messages } = json.decode(text) as { messages: ServerMessage[] }
    for (const message of messages) {
      if (message.type === "subscribed") position = message.position
      if (message.type === "event" && position !== undefined)
        position = { ...position, offset: message.offset }
      take(notes, message, begun)
    }
  })
}

function take(notes: Tally, message: ServerMessage, begun: () => void): void {
  if (message.type === "subscribed") begun()
  if (message.type === "gap") notes.miss(message.reason)
  if (message.type === "event") notes.hear(message.data as number)
}

/** Goes on until the test is over; resolves when it has begun. */
async function repeat(
  request: (notes: Tally, signal: AbortSignal, begun: () => void) => Promise<void>,
): Promise<Reader> {
  const notes = tally()
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  await new Promise<void>((begun) => {
    void (async () => {
      while (!controller.signal.aborted) {
        try {
          await request(notes, controller.signal, begun)
        } catch {
          if (controller.signal.aborted) return
          notes.cut()
          await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS))
        }
      }
    })()
  })
  return notes
}
