import { onTestFinished } from "vitest"
import type { Log } from "../../../src/log/log.ts"
import { memoryLog } from "../../../src/logs/memory/index.ts"
import { json } from "../../../src/protocol/json.ts"
import type { ServerMessage } from "../../../src/protocol/message.ts"
import { startTestHub } from "./hubs.ts"

type Options = Parameters<typeof startTestHub>[0]

/** One event of a stream of server-sent events, as EventSource reads it. */
export interface StreamEvent {
  readonly id: string | undefined
  readonly message: ServerMessage
}

/** A session of its own for each test that needs one. */
export const newSession = (): string => crypto.randomUUID()

/** Hubs that share one log, as nodes behind a balancer do; and the HTTP address of each. */
export async function startNodes(count: number, options: Options = {}) {
  const memory = memoryLog()
  // each hub closes its log, and these have one together
  const log: Log = { ...memory, shared: true, close: async () => undefined }
  const nodes = await Promise.all(Array.from({ length: count }, () => startTestHub({ log, ...options })))
  let next = 0
  return {
    log: memory,
    hubs: nodes.map(({ hub }) => hub),
    /** The address of the node whose turn it is. */
    base: () => nodes[next++ % count]!.url.replace(/^ws/, "http"),
  }
}

export async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, ...parsed(await response.text()) }
}

function parsed(text: string): { text: string; messages: ServerMessage[]; problem: Record<string, unknown> } {
  const body = (text === "" ? {} : json.decode(text)) as { messages?: ServerMessage[] } & Record<
    string,
    unknown
  >
  return { text, messages: body.messages ?? [], problem: body }
}

/** Reads a stream of server-sent events until the test is over, or it is aborted. */
export async function openEvents(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
) {
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  const response = await fetch(url, {
    headers,
    signal: controller.signal,
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  })
  const events = response.body === null ? none() : eventsOf(response.body)
  return {
    status: response.status,
    headers: response.headers,
    close: () => controller.abort(),
    /** The next event whose message has this type; undefined when the stream is over before. */
    next: async <T extends ServerMessage["type"]>(type: T) => {
      for (;;) {
        const { value, done } = await events.next()
        if (done === true) return undefined
        if (value.message.type === type)
          return value as { id: string | undefined; message: Extract<ServerMessage, { type: T }> }
      }
    },
  }
}

async function* none(): AsyncGenerator<StreamEvent, undefined> {}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent, undefined> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split("\n\n")
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      const event = eventOf(block)
      if (event !== undefined) yield event
    }
  }
}

function eventOf(block: string): StreamEvent | undefined {
  const field = (name: string) =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  const data = field("data")
  return data === undefined ? undefined : { id: field("id"), message: json.decode(data) as ServerMessage }
}
