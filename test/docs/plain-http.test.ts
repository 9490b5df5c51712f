import { channel, contract } from "holdfast"
import { createHub, memoryLog } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { readPage } from "./markdown.ts"

const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }) },
    signals: { typing: z.object({}) },
  }),
  "team/:team": channel({ presence: z.object({ name: z.string() }) }),
})

/** Names that are drawn at random, aliases and times are other ones each time. */
const VARYING = ["alias", "connection", "member", "at", "now"]

const timeless = (text: string): unknown =>
  JSON.parse(text, (key, value) => (VARYING.includes(key) ? key : value))

/** What stands before the first empty line, and behind it. */
function split(text: string): {
  readonly first: string
  readonly headers: [string, string][]
  readonly body: string
} {
  const [head = "", ...rest] = text.split("\n\n")
  const [first = "", ...lines] = head.split("\n")
  const headers = lines.map((line) => line.split(": ", 2) as [string, string])
  return { first, headers, body: rest.join("\n\n") }
}

/** A body with the JSON in it read: the whole of it, or that of each event. */
function contentOf(type: string | null, body: string): unknown {
  if (type !== "text/event-stream") return timeless(body)
  const lines = body.trim().split("\n")
  return lines.map((line) => (line.startsWith("data: ") ? timeless(line.slice(6)) : line))
}

/** As many events as are expected: the stream itself has no end. */
async function read(response: Response, expected: string): Promise<string> {
  if (response.headers.get("content-type") !== "text/event-stream") return response.text()
  const blocks = expected.trim().split("\n\n").length
  let text = ""
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.split("\n\n").length > blocks) break
  }
  return text
}

test("the requests of the page are answered as it says", async () => {
  const hub = createHub(app, {
    log: memoryLog({ epoch: "e1" }),
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data },
        signals: { typing: ({ data }) => data },
      },
      "team/:team": { subscribe: true, presence: ({ data }) => data },
    },
  })
  onTestFinished(() => hub.close())
  const { port } = await hub.listen({ port: 0 })
  await hub.channel("room/:room", { room: "lobby" }).publish("said", { text: "hello" })
  const blocks = readPage("protocol.md").blocks.filter(({ info }) => info.startsWith("http "))
  expect(blocks.length).toBeGreaterThanOrEqual(10)
  for (let index = 0; index < blocks.length; index += 2) {
    const [asked, told] = [blocks[index]!, blocks[index + 1]!]
    expect([asked.info, told.info]).toEqual(["http request", "http response"])
    const { first, headers, body } = split(asked.text)
    const [method = "", path = ""] = first.split(" ")
    const init = { method, headers, ...(body !== "" && { body }) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    const expected = split(told.text)
    expect(`HTTP/1.1 ${response.status} ${response.statusText}`).toBe(expected.first)
    for (const [name, value] of expected.headers) expect(response.headers.get(name)).toBe(value)
    const type = response.headers.get("content-type")
    expect(contentOf(type, await read(response, expected.body))).toEqual(contentOf(type, expected.body))
  }
})
