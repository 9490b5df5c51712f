import { CLOSE_CUT, CLOSE_UNAUTHORIZED } from "../protocol/close.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import type { Line, LineEvents, Transport } from "./transport.ts"

/** How many messages one request carries up at most, and how many characters, unless it is one message. */
const MESSAGES_MAX = 100
const LENGTH_MAX = 2 ** 18
/** The longest that a poll is held open while there is nothing to tell, and what it is halved to when polls are cut, in ms. */
const WAIT_MS_MAX = 25_000
const WAIT_MS_MIN = 1_000
/** With which code a line ends of which a request is refused with this status or error code. With any other, it counts as cut. */
const CODES: Readonly<Record<number | string, number>> = {
  401: CLOSE_UNAUTHORIZED,
  503: 1001,
  disconnected: 4403,
}

/** A request that was refused as a whole. */
interface Problem {
  readonly message?: string
  /** Of a failure in Node: why, in a word. */
  readonly cause?: { readonly code?: string }
  readonly status?: number
  readonly code?: string
  readonly detail?: string
}

/**
 * The protocol over plain HTTP: down as a stream of server-sent events, or as one poll after the other; up as requests of their
 * own. All bodies are JSON, whatever the codec.
 */
export function httpTransport(name: "sse" | "poll", codec: Codec): Transport {
  return {
    name,
    open: (url, events) => {
      const address = url.replace(/^ws/, "http")
      const post = async (path: string, body: string, signal: AbortSignal): Promise<Response> => {
        const headers = { "Content-Type": "application/json" }
        // before the query, if there is one
        const response = await fetch(address.replace(/\?|$/, `/${path}$&`), {
          method: "POST",
          headers,
          body,
          signal,
        })
        if (response.ok) return response
        const { status } = response
        throw Object.assign(new Error(`${status}`), await response.json().catch(() => ({})), { status })
      }
      return openLine(name === "poll", post, codec, events)
    },
  }
}

function openLine(
  polls: boolean,
  post: (path: string, body: string, signal: AbortSignal) => Promise<Response>,
  codec: Codec,
  { onOpen, onMessage, onClose }: LineEvents,
): Line {
  const up = new AbortController()
  let down = new AbortController()
  let hello = ""
  let waitMs = WAIT_MS_MAX
  let isQuick = true
  /** By channel with a request under way, what waits for its end. */
  const queues = new Map<string, string[]>()
  let signals = 0
  let renewal: ReturnType<typeof setTimeout> | undefined

  const end = (code: number, reason: string) => {
    if (up.signal.aborted) return
    clearTimeout(renewal)
    up.abort()
    down.abort()
    onClose(code, reason)
  }
  const fail = ({ status = 0, code = "", detail, message = "", cause }: Problem) =>
    end(CODES[code] ?? CODES[status] ?? CLOSE_CUT, detail ?? cause?.code ?? message)

  /** Begins anew, with where the cursors stand by then. A poll is answered at once, as there is something to be answered. */
  const renewSoon = () => {
    isQuick = true
    clearTimeout(renewal)
    renewal = setTimeout(() => onOpen(true))
  }
  const tellAll = async (response: Response): Promise<number> => {
    const { messages } = await response.json()
    for (const message of messages) onMessage(JSON.stringify(message))
    return messages.length
  }

  const listen = async () => {
    const quick = isQuick
    isQuick = false
    // this one has all that was to be said
    clearTimeout(renewal)
    down.abort()
    down = new AbortController()
    const { signal } = down
    try {
      if (polls) {
        const response = await post("poll", `{"waitMs":${quick ? 0 : waitMs},${hello.slice(1)}`, signal)
        await tellAll(response)
        onOpen(true)
      } else {
        const response = await post("events", hello, signal)
        await readEvents(response, (text) => signal.aborted || onMessage(text))
        end(CLOSE_CUT, "The stream ended")
      }
    } catch (error) {
      if (signal.aborted) return
      // somebody on the way does not want to wait for so long
      if (quick || !polls || waitMs <= WAIT_MS_MIN) return fail(error as Problem)
      waitMs /= 2
      renewSoon()
    }
  }

  /** `answers`: how many there have to be. */
  const carry = async (texts: readonly string[], answers: number): Promise<void> => {
    const { session, token } = JSON.parse(hello)
    const greeting = JSON.stringify({ session, token }).slice(0, -1)
    try {
      const response = await post("send", `${greeting},"messages":[${texts}]}`, up.signal)
      if ((await tellAll(response)) < answers) end(CLOSE_CUT, "")
    } catch (error) {
      const {
        status,
        message,
        code = status === 413 && "message_too_large",
        detail = message,
      } = error as Problem
      // without a code it is not of the server, but of somebody on the way
      if ((status !== 400 && status !== 413) || !code) return fail(error as Problem)
      // one of them is not as it has to be, and none was handled
      if (texts.length > 1) for (const text of texts) await carry([text], answers && 1)
      else onMessage(JSON.stringify({ type: "error", id: JSON.parse(`${texts}`).id, code, message: detail }))
    }
  }
  /** In the order given, one request after the other; channels independently, so that no slow handler is waited for elsewhere. */
  const sendQueue = async (channel: string) => {
    queues.set(channel, [])
    // with what else comes in this turn
    await undefined
    while (!up.signal.aborted) {
      const queue = queues.get(channel) as string[]
      if (queue.length === 0) break
      let length = 0
      const texts = queue.filter((text, index) => {
        length += text.length
        return index === 0 || (index < MESSAGES_MAX && length <= LENGTH_MAX)
      })
      queues.set(channel, queue.slice(texts.length))
      await carry(texts, texts.length)
      // each request has to say what was entered
      if (texts.some((text) => /^.{9}(ent|lea)/.test(text))) renewSoon()
    }
    queues.delete(channel)
  }

  renewSoon()
  return {
    send: (wire) => {
      const text = typeof wire === "string" ? wire : json.encode(codec.decode(wire))
      const [, type = ""] = /"type":"(\w+)"/.exec(text) ?? []
      if (type === "hello") {
        hello = text
        void listen()
      } else if (/subscribe|token|ping/.test(type)) {
        renewSoon()
      } else if (type === "call") {
        void carry([text], 1)
      } else if (type === "signal") {
        signals++
        void carry([text], 0).then(() => signals--)
      } else if (type !== "pong") {
        const { channel } = JSON.parse(text)
        if (!queues.has(channel)) void sendQueue(channel)
        queues.get(channel)?.push(text)
      }
    },
    close: end,
    // one signal at a time
    bufferedBytes: () => signals * 2 ** 20,
  }
}

async function readEvents({ body }: Response, tell: (text: string) => void): Promise<void> {
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let rest = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const events = (rest + decoder.decode(value, { stream: true })).split("\n\n")
    rest = events.pop() as string
    for (const event of events) {
      // not ".", which ends at U+2028 too
      const [, text] = /^data: ([^\n]*)/m.exec(event) ?? []
      if (text) tell(text)
    }
  }
}
