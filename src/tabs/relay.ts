import type { Wire } from "../client/transport.ts"
import { CLOSE_PROTOCOL_ERROR, CLOSE_TIMEOUT, CLOSE_UNAUTHORIZED } from "../protocol/close.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import type {
  ClientMessage,
  Failure,
  Hello,
  Result,
  ServerMessage,
  Subscribe,
  SubscriptionRequest,
  TokenTaken,
  Welcome,
} from "../protocol/message.ts"
import { SharedPlaces } from "./shared-places.ts"
import { SharedStream, type StreamMessage } from "./shared-stream.ts"

/** A tab's end of its line. */
export interface TabPort {
  readonly send: (wire: Wire) => void
  readonly close: (code: number, reason: string) => void
}

export interface RelayPorts {
  readonly codec: Codec
  /** Sends to the server. Only while that line is open. */
  readonly send: (wire: Wire) => void
  /** How many bytes were sent to the server and have not left. */
  readonly bufferedBytes: () => number
  /** Closes the line to the server. */
  readonly close: (code: number, reason: string) => void
  /** The secret of the member that all tabs are; `drawn` is that of the first. */
  readonly session: (drawn: string) => string
}

/** A tab, as the relay knows it. */
interface Tab {
  readonly port: TabPort
  hello: Hello | undefined
  /** Whether what hello asks for is being seen to. */
  served: boolean
  welcomed: boolean
}

type Request = Extract<ClientMessage, { readonly id: number }>

/** Where the answer to a request goes. */
interface Asker {
  readonly tab: Tab
  readonly id: number
  /** Of a request to enter. */
  readonly entered?: string
}

/** The first message must not become too large: more subscriptions than this follow on their own. */
const HELLO_SUBSCRIPTIONS_MAX = 100
/** Signals are dropped while more than so many bytes wait to leave. */
const SIGNAL_BUFFER_BYTES_MAX = 64 * 1024
/** How long a tab that was cut stays in presence: it may be on its way back. In ms. */
const ABSENCE_MS = 5_000
/** How long the server may take to answer before it is taken for dead by who asked, in ms. */
const PROBE_MS = 3_000
/** So long before it expires, any tab's token is better than none, in ms. */
const LATE_RENEWAL_MS = 10_000

/**
 * One line to the server for the lines of many tabs, as long as it lives. To the server it is one client, with one hello, one
 * subscription per channel and one member; to each tab it is a server of its own. Pure: what happens is handed in, with
 * the time. When the line to the server ends, so do those of the tabs, whose clients come back with their positions.
 */
export class Relay {
  readonly #ports: RelayPorts
  readonly #tabs = new Set<Tab>()
  readonly #streams = new Map<string, SharedStream<Tab>>()
  readonly #byAlias = new Map<number, SharedStream<Tab>>()
  /** How many answers to subscriptions are on their way, by channel: only the last is about the stream that is there. */
  readonly #awaited = new Map<string, number>()
  readonly #askers = new Map<number, Asker>()
  readonly #places: SharedPlaces<Tab>
  /** Tabs that were cut, and until when their places are kept. */
  readonly #absent = new Map<Tab, number>()
  /** Who sent signals on a channel last: a refusal of one names only that. */
  readonly #signallers = new Map<string, Tab>()
  #state: "opening" | "connected" | "greeting" | "open" | "closed" = "opening"
  /** Whose token the server was shown. */
  #sponsor: Tab | undefined
  #token: string | undefined
  #session = ""
  #isBrief = false
  /** When a tab asked whether the server is still there, if nothing was heard since. */
  #probedAtMs: number | undefined
  #welcome: Welcome | undefined
  #welcomedAtMs = 0
  #heardAtMs = 0
  #lastId = 0
  #lastAlias = 0
  #leads = true
  #logUnavailable = false
  /** A tab has asked for a connection with a fresh token, so the next one that comes brings it. */
  #renews = false

  constructor(ports: RelayPorts) {
    this.#ports = ports
    this.#places = new SharedPlaces({
      enter: (channel, data) => this.#ask({ type: "enter", id: 0, channel, data }),
      leave: (channel) => this.#ask({ type: "leave", id: 0, channel }),
    })
  }

  /** Whether tabs that come now may use it: not when the server has said that it goes away. */
  get isTaking(): boolean {
    return this.#leads && this.#state !== "closed"
  }

  get isClosed(): boolean {
    return this.#state === "closed"
  }

  nextTimeoutMs(): number {
    const silentAtMs =
      this.#welcome && this.#state === "open"
        ? this.#heardAtMs + 2 * this.#welcome.heartbeatMs
        : Number.POSITIVE_INFINITY
    return Math.min(silentAtMs, ...this.#absent.values())
  }

  handleTimeout(nowMs: number): void {
    if (this.#welcome && this.#state === "open" && nowMs >= this.#heardAtMs + 2 * this.#welcome.heartbeatMs) {
      this.close(CLOSE_TIMEOUT, "")
      return
    }
    for (const [tab, untilMs] of this.#absent) {
      if (nowMs < untilMs) continue
      this.#absent.delete(tab)
      this.#places.remove(tab)
    }
  }

  // --- the tabs ---

  add(port: TabPort): Tab {
    const tab: Tab = { port, hello: undefined, served: false, welcomed: false }
    this.#tabs.add(tab)
    return tab
  }

  handleTabWire(tab: Tab, wire: Wire, nowMs: number): void {
    if (!this.#tabs.has(tab)) return
    let message: ClientMessage
    try {
      message = this.#ports.codec.decode(wire) as ClientMessage
    } catch {
      this.#dismiss(tab, CLOSE_PROTOCOL_ERROR, "")
      return
    }
    if (message.type === "hello") this.#handleHello(tab, message, nowMs)
    else if (tab.welcomed) this.#handleTabMessage(tab, message, nowMs)
  }

  /** The tab has closed its line, or died, which is 1006. */
  handleTabClose(tab: Tab, code: number, reason: string, nowMs: number): void {
    if (!this.#tabs.delete(tab)) return
    for (const [channel, stream] of this.#streams) {
      stream.remove(tab)
      if (!stream.isFollowed) this.#forget(channel, stream)
    }
    for (const [channel, signaller] of this.#signallers) {
      if (signaller === tab) this.#signallers.delete(channel)
    }
    if (this.#sponsor === tab) this.#sponsor = undefined
    if (reason === "reconnect") this.#renews = true
    if (this.#tabs.size === 0) {
      this.close(code === 1006 ? CLOSE_TIMEOUT : code, reason)
    } else if (code === 1000 || code === 1001) {
      this.#places.remove(tab)
    } else {
      if (this.#places.channelsOf(tab).length > 0) this.#absent.set(tab, nowMs + ABSENCE_MS)
      // a tab that hears nothing does not know whether that is the server's fault
      if (code === CLOSE_TIMEOUT && this.#isSilent(nowMs)) this.close(CLOSE_TIMEOUT, "")
    }
  }

  #isSilent(nowMs: number): boolean {
    if (this.#probedAtMs !== undefined && nowMs - this.#probedAtMs > PROBE_MS) return true
    return this.#welcome !== undefined && nowMs - this.#heardAtMs > this.#welcome.heartbeatMs
  }

  #handleHello(tab: Tab, hello: Hello, nowMs: number): void {
    tab.hello = hello
    if (this.#state === "connected") this.#greet()
    if (this.#state !== "open") return
    if (this.#renews && hello.token !== undefined) this.#renew(tab, hello.token)
    this.#renews = false
    this.#admit(tab, nowMs)
    this.#serve(tab, hello)
    this.#pump()
  }

  #handleTabMessage(tab: Tab, message: ClientMessage, nowMs: number): void {
    if (message.type === "subscribe") {
      const { type: _, ...request } = message as Subscribe
      this.#subscribe(tab, request)
      this.#streams.get(message.channel)?.pump()
    } else if (message.type === "unsubscribe") {
      const stream = this.#streams.get(message.channel)
      stream?.remove(tab)
      if (stream !== undefined && !stream.isFollowed) this.#forget(message.channel, stream)
    } else if (message.type === "signal") {
      this.#signallers.set(message.channel, tab)
      if (this.#ports.bufferedBytes() <= SIGNAL_BUFFER_BYTES_MAX) this.#send(message)
    } else if (message.type === "leave" && !this.#places.leave(message.channel, tab)) {
      this.#tell(tab, { type: "result", id: message.id })
    } else if ("id" in message) {
      if (message.type === "enter") this.#places.enter(message.channel, tab, message.data)
      this.#ask(message, tab)
    } else if (message.type === "token") {
      this.#handleToken(tab, message.token, nowMs)
    } else if (message.type === "ping") {
      this.#probedAtMs ??= nowMs
      this.#send(message)
    }
    // a pong says that the tab is there, which its lock says better
  }

  /**
   * One tab's token is renewed with the server for all. That of another could be refused, and end it for all, so it is
   * taken only when there is no other.
   */
  #handleToken(tab: Tab, token: string, nowMs: number): void {
    const { expiresAt, now } = this.#welcomeAt(nowMs)
    const isLate = expiresAt !== undefined && expiresAt - now < LATE_RENEWAL_MS
    if (tab === this.#sponsor || this.#sponsor === undefined || isLate) this.#renew(tab, token)
    else this.#tell(tab, expiresAt === undefined ? { type: "token", now } : { type: "token", expiresAt, now })
  }

  #renew(tab: Tab, token: string): void {
    this.#sponsor = tab
    this.#token = token
    this.#send({ type: "token", token })
  }

  #subscribe(tab: Tab, request: SubscriptionRequest): void {
    const { channel } = request
    const stream = this.#streams.get(channel) ?? this.#open(channel)
    stream.add(tab, request)
  }

  #open(channel: string): SharedStream<Tab> {
    const stream = new SharedStream<Tab>(channel, ++this.#lastAlias, {
      subscribe: (request) => {
        this.#await(channel)
        this.#send({ type: "subscribe", ...request })
      },
      unsubscribe: () => this.#send({ type: "unsubscribe", channel }),
      encode: this.#ports.codec.encode,
      send: (tab, wire) => tab.port.send(wire),
    })
    this.#streams.set(channel, stream)
    return stream
  }

  #forget(channel: string, stream: SharedStream<Tab>): void {
    this.#streams.delete(channel)
    this.#unname(stream)
  }

  /** The server's number for it is another from now on, or none. */
  #unname(stream: SharedStream<Tab>): void {
    for (const [alias, named] of this.#byAlias) if (named === stream) this.#byAlias.delete(alias)
  }

  #pump(): void {
    for (const stream of this.#streams.values()) stream.pump()
  }

  #await(channel: string): void {
    this.#awaited.set(channel, (this.#awaited.get(channel) ?? 0) + 1)
  }

  #ask(message: Request, tab?: Tab): void {
    const id = ++this.#lastId
    if (tab !== undefined) {
      const asker = { tab, id: message.id }
      this.#askers.set(id, message.type === "enter" ? { ...asker, entered: message.channel } : asker)
    }
    this.#send({ ...message, id })
  }

  #tell(tab: Tab, message: ServerMessage): void {
    tab.port.send(this.#ports.codec.encode(message))
  }

  #tellAll(message: ServerMessage): void {
    const wire = this.#ports.codec.encode(message)
    for (const tab of this.#tabs) if (tab.welcomed) tab.port.send(wire)
  }

  #dismiss(tab: Tab, code: number, reason: string): void {
    this.#tabs.delete(tab)
    tab.port.close(code, reason)
  }

  // --- the server ---

  /** `isBrief`: the line is a sequence of requests. Each has a hello of its own, which has all that is to be subscribed. */
  handleOpen(nowMs: number, isBrief = false): void {
    this.#heardAtMs = nowMs
    this.#isBrief = isBrief
    if (this.#state === "opening") this.#state = "connected"
    this.#greet()
  }

  handleWire(wire: Wire, nowMs: number): void {
    this.#heardAtMs = nowMs
    let message: ServerMessage
    try {
      // lines that carry text only do so whatever the codec
      message = (
        typeof wire === "string" ? json.decode(wire) : this.#ports.codec.decode(wire)
      ) as ServerMessage
    } catch {
      this.close(CLOSE_PROTOCOL_ERROR, "")
      return
    }
    if (this.#probedAtMs !== undefined) this.#tellAll({ type: "ping" })
    this.#probedAtMs = undefined
    if (message.type === "welcome") this.#handleWelcome(message, nowMs)
    else if (message.type === "token") {
      this.#handleTokenTaken(message, nowMs)
      this.#tellAll(message)
    } else if (message.type === "ping") {
      this.#send({ type: "pong" })
      this.#tellAll(message)
    } else if (message.type === "goaway") {
      // whoever comes from now on, comes to the next line
      this.#leads = false
      this.#tellAll(message)
    } else if (message.type === "log") {
      this.#logUnavailable = !message.available
      this.#tellAll(message)
    } else if (message.type === "result" || message.type === "error") {
      this.#handleAnswer(message)
    } else if (!("channel" in message && this.#isStale(message.channel))) {
      this.#handleStream(message)
    }
  }

  /** The line to the server is gone, and with it those of the tabs. */
  handleClose(code: number, reason: string): void {
    if (this.#state === "closed") return
    const isGreeting = this.#state !== "open"
    this.#state = "closed"
    for (const tab of [...this.#tabs]) {
      // a token is its tab's own affair: the others may have better ones
      const isOwn = code !== CLOSE_UNAUTHORIZED || !isGreeting || tab === this.#sponsor
      this.#dismiss(tab, isOwn ? code : 1006, isOwn ? reason : "")
    }
  }

  /** Gives up the line to the server, and those of the tabs. */
  close(code: number, reason: string): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    this.#ports.close(code, reason)
    for (const tab of [...this.#tabs]) this.#dismiss(tab, 1006, "")
  }

  /** Says hello as soon as there is somebody to say it for. */
  #greet(): void {
    if (this.#state === "connected") {
      const sponsor = [...this.#tabs].find(({ hello }) => hello !== undefined)
      if (sponsor?.hello === undefined) return
      this.#state = "greeting"
      this.#sponsor = sponsor
      this.#token = sponsor.hello.token
      this.#session = this.#ports.session(sponsor.hello.session)
      this.#serve(sponsor, sponsor.hello)
    }
    const subscriptions: SubscriptionRequest[] = []
    this.#awaited.clear()
    for (const [channel, stream] of this.#streams) {
      if (subscriptions.length === HELLO_SUBSCRIPTIONS_MAX && !this.#isBrief) break
      stream.handleDown()
      const request = stream.next()
      if (request === undefined) continue
      this.#await(channel)
      subscriptions.push(request)
    }
    const presence = this.#isBrief ? this.#places.all() : undefined
    // codecs leave out what is undefined
    const hello = { type: "hello", session: this.#session, token: this.#token, subscriptions, presence }
    this.#send(hello as Hello)
  }

  /** Sees to what a tab's hello asks for. */
  #serve(tab: Tab, { subscriptions }: Hello): void {
    if (tab.served) return
    tab.served = true
    for (const request of subscriptions) this.#subscribe(tab, request)
  }

  #handleWelcome(message: Welcome, nowMs: number): void {
    this.#state = "open"
    this.#welcome = message
    this.#welcomedAtMs = nowMs
    for (const tab of this.#tabs) {
      if (tab.hello === undefined) continue
      if (tab.welcomed) this.#tell(tab, { type: "ping" })
      else this.#admit(tab, nowMs)
      this.#serve(tab, tab.hello)
    }
    this.#pump()
  }

  #handleTokenTaken({ expiresAt, now }: TokenTaken, nowMs: number): void {
    const { expiresAt: _, ...welcome } = this.#welcome as Welcome
    this.#welcome = expiresAt === undefined ? { ...welcome, now } : { ...welcome, now, expiresAt }
    this.#welcomedAtMs = nowMs
  }

  #admit(tab: Tab, nowMs: number): void {
    tab.welcomed = true
    this.#tell(tab, this.#welcomeAt(nowMs))
    if (this.#logUnavailable) this.#tell(tab, { type: "log", available: false })
  }

  /** What the server said last about this connection, with its clock's time. */
  #welcomeAt(nowMs: number): Welcome {
    const welcome = this.#welcome as Welcome
    return { ...welcome, now: welcome.now + Math.round(nowMs - this.#welcomedAtMs) }
  }

  #handleAnswer(message: Result | Failure): void {
    const { id } = message
    const asker = id === undefined ? undefined : this.#askers.get(id)
    if (asker !== undefined) {
      this.#askers.delete(id as number)
      if (asker.entered !== undefined && message.type === "error")
        this.#places.leave(asker.entered, asker.tab)
      if (this.#tabs.has(asker.tab)) this.#tell(asker.tab, { ...message, id: asker.id } as ServerMessage)
    } else if (id === undefined) {
      const about =
        this.#signallers.get((message as Failure).channel ?? "") ??
        (this.#state === "open" ? undefined : this.#sponsor)
      if (about === undefined) this.#tellAll(message as Failure)
      else if (this.#tabs.has(about)) this.#tell(about, message as Failure)
    }
  }

  #handleStream(message: ServerMessage): void {
    if (message.type === "unsubscribed") {
      const stream = this.#streams.get(message.channel)
      if (stream === undefined) return
      stream.handleUnsubscribed(message)
      this.#forget(message.channel, stream)
    } else if ("alias" in message) {
      if (message.type === "subscribed") {
        const stream = this.#streams.get(message.channel)
        if (stream !== undefined) {
          this.#unname(stream)
          this.#byAlias.set(message.alias, stream)
        }
      }
      this.#byAlias.get(message.alias)?.handleMessage(message as StreamMessage)
    }
  }

  /** Takes note of an answer. Returns whether it is about a stream that was since given up, or begun anew. */
  #isStale(channel: string): boolean {
    const awaited = (this.#awaited.get(channel) ?? 1) - 1
    this.#awaited.set(channel, awaited)
    if (awaited === 0) this.#awaited.delete(channel)
    return awaited > 0
  }

  #send(message: ClientMessage): void {
    if (this.#state === "greeting" || this.#state === "open")
      this.#ports.send(this.#ports.codec.encode(message))
  }
}
