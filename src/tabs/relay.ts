import type { Wire } from "../client/transport.ts"
import { CLOSE_PROTOCOL_ERROR, CLOSE_TIMEOUT, CLOSE_UNAUTHORIZED } from "../protocol/close.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import type {
  ClientMessage,
  Failure,
  Hello,
  LogAvailability,
  Removed,
  Result,
  ServerMessage,
  Subscribe,
  TokenTaken,
  Welcome,
} from "../protocol/message.ts"
import { SharedPlaces } from "./shared-places.ts"
import { type Request, SharedRequests } from "./shared-requests.ts"
import { SharedStreams } from "./shared-streams.ts"
import { SharedToken } from "./shared-token.ts"

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
  readonly nowMs: () => number
}

/** A tab, as the relay knows it. */
interface Tab {
  readonly port: TabPort
  hello: Hello | undefined
  /** Whether what hello asks for is being seen to. */
  served: boolean
  welcomed: boolean
}

/** The first message must not become too large: more subscriptions than this follow on their own. */
const HELLO_SUBSCRIPTIONS_MAX = 100
/** Signals are dropped while more than so many bytes wait to leave. */
const SIGNAL_BUFFER_BYTES_MAX = 64 * 1024
/** How long a tab that was cut stays in presence: it may be on its way back. In ms. */
const ABSENCE_MS = 5_000
/** How long the server may take to answer before it is taken for dead by who asked, in ms. */
const PROBE_MS = 3_000

/**
 * One line to the server for the lines of many tabs, as long as it lives. To the server it is one client, with one hello, one
 * subscription per channel and one member; to each tab it is a server of its own. Pure: what happens is handed in, with
 * the time. When the line to the server ends, so do those of the tabs, whose clients come back with their positions.
 */
export class Relay {
  readonly #ports: RelayPorts
  readonly #tabs = new Set<Tab>()
  readonly #streams: SharedStreams<Tab>
  readonly #requests = new SharedRequests<Tab>()
  readonly #places: SharedPlaces<Tab>
  readonly #token = new SharedToken<Tab>()
  /** Tabs that were cut, and until when their places are kept. */
  readonly #absent = new Map<Tab, number>()
  #state: "opening" | "connected" | "greeting" | "open" | "closed" = "opening"
  #session = ""
  #isBrief = false
  /** When a tab asked whether the server is still there, if nothing was heard since. */
  #probedAtMs: number | undefined
  /** The highest version that was used in presence: tabs stamp by clocks of their own, and count in the order in which they come. */
  #lastVersion = 0
  #welcome: Welcome | undefined
  #welcomedAtMs = 0
  #heardAtMs = 0
  #leads = true
  #logUnavailable = false
  /** A welcome has come since, behind which it is said again if it still is. */
  #logInDoubt = false

  constructor(ports: RelayPorts) {
    this.#ports = ports
    this.#streams = new SharedStreams({
      subscribe: (request) => this.#send({ type: "subscribe", ...request }),
      unsubscribe: (channel) => this.#send({ type: "unsubscribe", channel }),
      encode: ports.codec.encode,
      send: (tab, wire) => tab.port.send(wire),
    })
    this.#places = new SharedPlaces({
      enter: (channel, data) => this.#ask({ type: "enter", id: 0, channel, data, version: this.#stamp() }),
      leave: (channel) => this.#ask({ type: "leave", id: 0, channel, version: this.#stamp() }),
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
    this.#streams.remove(tab)
    this.#requests.remove(tab)
    this.#token.remove(tab, tab.hello)
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
    if (hello.token !== undefined && this.#token.isFresh(hello)) this.#renew(tab, hello.token)
    this.#admit(tab, nowMs)
    this.#serve(tab, hello)
    this.#streams.pump()
  }

  #handleTabMessage(tab: Tab, message: ClientMessage, nowMs: number): void {
    if (message.type === "subscribe") {
      const { type: _, ...request } = message as Subscribe
      this.#streams.add(tab, request)
      this.#streams.pump(message.channel)
    } else if (message.type === "unsubscribe") {
      this.#streams.remove(tab, message.channel)
    } else if (message.type === "signal") {
      this.#requests.handleSignal(tab, message.channel)
      if (this.#ports.bufferedBytes() <= SIGNAL_BUFFER_BYTES_MAX) this.#send(message)
    } else if (message.type === "leave" && !this.#places.leave(message.channel, tab)) {
      this.#tell(tab, { type: "result", id: message.id })
    } else if (message.type === "enter" || message.type === "leave") {
      if (message.type === "enter") this.#places.enter(message.channel, tab, message.data)
      this.#ask({ ...message, version: this.#stamp(message.version) }, tab)
    } else if ("id" in message) {
      this.#ask(message, tab)
    } else if (message.type === "token") {
      this.#handleToken(tab, message.token, nowMs)
    } else if (message.type === "ping") {
      this.#probedAtMs ??= nowMs
      this.#send(message)
    }
    // a pong says that the tab is there, which its lock says better
  }

  #handleToken(tab: Tab, token: string, nowMs: number): void {
    const taken = this.#tokenTaken(nowMs)
    const { expiresAt = Number.POSITIVE_INFINITY, now } = taken
    if (this.#token.takes(tab, expiresAt - now)) this.#renew(tab, token)
    else this.#tell(tab, taken)
  }

  /** How long the token holds that the server was shown last. */
  #tokenTaken(nowMs: number): TokenTaken {
    const { expiresAt, now } = this.#welcomeAt(nowMs)
    return expiresAt === undefined ? { type: "token", now } : { type: "token", expiresAt, now }
  }

  #renew(tab: Tab, token: string): void {
    this.#token.set(tab, token)
    this.#send({ type: "token", token })
  }

  #stamp(version = Math.floor(this.#welcomeAt(this.#ports.nowMs()).now)): number {
    this.#lastVersion = Math.max(version, this.#lastVersion + 1)
    return this.#lastVersion
  }

  #ask(message: Request, tab?: Tab): void {
    this.#send(this.#requests.number(message, tab))
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
    if (this.#logInDoubt && message.type !== "log") this.#handleLog({ type: "log", available: true })
    this.#logInDoubt = false
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
      this.#handleLog(message)
    } else if (message.type === "removed") {
      this.#handleRemoved(message)
    } else if (message.type === "result" || message.type === "error") {
      this.#handleAnswer(message)
    } else {
      this.#streams.handleMessage(message)
    }
  }

  /** The line to the server is gone, and with it those of the tabs. */
  handleClose(code: number, reason: string): void {
    if (this.#state === "closed") return
    const isGreeting = this.#state !== "open"
    this.#state = "closed"
    for (const tab of [...this.#tabs]) {
      // a token is its tab's own affair: the others may have better ones
      const isOwn = code !== CLOSE_UNAUTHORIZED || !isGreeting || tab === this.#token.owner
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
      this.#token.set(sponsor, sponsor.hello.token)
      this.#session = this.#ports.session(sponsor.hello.session)
      this.#serve(sponsor, sponsor.hello)
    }
    const subscriptions = this.#streams.begin(
      this.#isBrief ? Number.POSITIVE_INFINITY : HELLO_SUBSCRIPTIONS_MAX,
    )
    const presence = this.#isBrief
      ? this.#places.all().map((place) => ({ ...place, version: this.#stamp() }))
      : undefined
    // codecs leave out what is undefined
    const hello = {
      type: "hello",
      session: this.#session,
      token: this.#token.value,
      subscriptions,
      presence,
    }
    this.#send(hello as Hello)
  }

  /** Sees to what a tab's hello asks for. */
  #serve(tab: Tab, { subscriptions }: Hello): void {
    if (tab.served) return
    tab.served = true
    for (const request of subscriptions) this.#streams.add(tab, request)
  }

  #handleWelcome(message: Welcome, nowMs: number): void {
    this.#state = "open"
    this.#welcome = message
    this.#welcomedAtMs = nowMs
    this.#logInDoubt = this.#logUnavailable
    for (const tab of this.#tabs) {
      if (tab.hello === undefined) continue
      // to a line of requests, with which tokens go along, this is the answer to one as well
      if (tab.welcomed) this.#tell(tab, this.#tokenTaken(nowMs))
      else this.#admit(tab, nowMs)
      this.#serve(tab, tab.hello)
    }
    this.#streams.pump()
  }

  #handleTokenTaken({ expiresAt, now }: TokenTaken, nowMs: number): void {
    const { expiresAt: _, ...welcome } = this.#welcome as Welcome
    this.#welcome = expiresAt === undefined ? { ...welcome, now } : { ...welcome, now, expiresAt }
    this.#welcomedAtMs = nowMs
  }

  #handleLog(message: LogAvailability): void {
    this.#logUnavailable = !message.available
    this.#tellAll(message)
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

  /** The member is not in any more, or not as it should be: it enters again, or the tabs are told. */
  #handleRemoved(message: Removed): void {
    const { channel } = message
    if (this.#learnVersion(message)) {
      this.#sayAgain(channel)
      return
    }
    for (const tab of this.#tabs) if (this.#places.channelsOf(tab).includes(channel)) this.#tell(tab, message)
    this.#places.clear(channel)
  }

  /** Where the member stands in a channel. */
  #sayAgain(channel: string): void {
    const place = this.#places.find(channel)
    const message = { id: 0, channel, version: this.#stamp() }
    this.#ask(place ? { ...message, type: "enter", data: place.data } : { ...message, type: "leave" })
  }

  /** Whether the same may be asked for with another version. */
  #learnVersion({ code, version }: Removed | Failure): boolean {
    if (version === undefined) return false
    this.#lastVersion = code === "superseded" ? Math.max(this.#lastVersion, version - 1) : version
    return true
  }

  #handleAnswer(message: Result | Failure): void {
    const asker = this.#requests.take(message)
    const isRefused = message.type === "error"
    const isVersionRefused = isRefused && this.#learnVersion(message)
    if (asker !== undefined) {
      const { tab, request } = asker
      if (isRefused && !isVersionRefused && request.type === "enter") this.#places.leave(request.channel, tab)
      if (this.#tabs.has(tab)) this.#tell(tab, { ...message, id: request.id })
      else if (isVersionRefused) this.#sayAgain(request.channel)
    } else if (isVersionRefused) {
      this.#sayAgain(message.channel ?? "")
    } else if (isRefused && message.id === undefined) {
      const about =
        this.#requests.signaller(message) ?? (this.#state === "open" ? undefined : this.#token.owner)
      if (about === undefined) this.#tellAll(message)
      else if (this.#tabs.has(about)) this.#tell(about, message)
    }
  }

  #send(message: ClientMessage): void {
    if (this.#state === "greeting" || this.#state === "open")
      this.#ports.send(this.#ports.codec.encode(message))
  }
}
