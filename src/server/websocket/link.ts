import type { Duplex } from "node:stream"
import type { Encoding } from "../../hub/ports/link.ts"
import type { LinkLimits } from "../limits.ts"
import { fitCloseReason } from "./close-reason.ts"

/** Who is told what happens on a link. */
export interface LinkOwner {
  /** A whole message, as it came. `bytes` may be a view of a larger buffer. */
  readonly handleFrame: (bytes: Buffer, binary: boolean) => void
  /** The link was full, and is empty again. */
  readonly handleDrain: () => void
  /** The link is gone; `orderly` when the peer closed it on purpose. Comes once, and nothing comes after it. */
  readonly handleClose: (orderly: boolean) => void
  readonly handlePong?: () => void
}

/**
 * What a link needs of a WebSocket of `ws`. Spelled out, because types of `ws` in what is published would have to be installed
 * by everybody who compiles against it.
 */
export interface Receiver {
  readonly readyState: number
  readonly isPaused: boolean
  pause(): void
  resume(): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: "message", listener: (this: Receiver, data: unknown, binary: boolean) => void): unknown
  on(event: "close", listener: (this: Receiver, code: number) => void): unknown
  on(event: "error" | "pong", listener: (this: Receiver) => void): unknown
}

// 1, as `ws` exports it on its class; spelled out so that the hot path reads no property of a class
const OPEN = 1

/** Normal, going away (a browser leaves the page), and a close frame without a code (RFC 6455 7.4.1). */
const ORDERLY_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005])

const link = Symbol("link")
interface Linked {
  [link]: WebSocketLink<unknown>
}

/**
 * One WebSocket, a `Link` of the hub when it has an encoding. `ws` receives, unmasks, answers pings and closes; what is sent is written here, straight to the socket, in
 * whole frames that other links may share. Both write to the same stream, so the order of what they write holds.
 *
 * There may be tens of thousands of these: the listeners are shared functions that find their link on the emitter, so that a
 * connection costs no closure and no timer.
 */
export class WebSocketLink<E = Encoding> {
  readonly encoding: E
  readonly #webSocket: Receiver
  readonly #socket: Duplex
  readonly #highWaterBytes: number
  readonly #unsentBytesMax: number
  #owner: LinkOwner | undefined
  #full = false
  #closedHere = false
  // Two may want that the peer is not read from: the owner, and the link because its answers are not taken.
  #pausedByOwner = false
  #pausedByUnsent = false

  constructor(webSocket: Receiver, socket: Duplex, encoding: E, limits: LinkLimits) {
    this.encoding = encoding
    this.#webSocket = webSocket
    this.#socket = socket
    // Never below the stream's own mark: it emits `drain` only after a write that went beyond that.
    this.#highWaterBytes = Math.max(limits.highWaterBytes, socket.writableHighWaterMark)
    this.#unsentBytesMax = Math.max(limits.unsentBytesMax, this.#highWaterBytes)
  }

  /** Starts to tell `owner`. Has to be called in the turn in which the link was made. */
  open(owner: LinkOwner): void {
    this.#owner = owner
    const webSocket = this.#webSocket as Receiver & Linked
    const socket = this.#socket as Duplex & Linked
    webSocket[link] = this
    socket[link] = this
    webSocket.on("message", onMessage)
    webSocket.on("close", onClose)
    webSocket.on("error", onError)
    if (owner.handlePong !== undefined) webSocket.on("pong", onPong)
    socket.on("drain", onDrain)
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === OPEN
  }

  /** Bytes that wait here because the peer, or the network, is slower. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array): boolean {
    // Nothing may follow a close frame, ours or the answer to theirs.
    if (this.#webSocket.readyState !== OPEN) return false
    this.#socket.write(bytes)
    const unsentBytes = this.#socket.writableLength
    if (unsentBytes <= this.#highWaterBytes) return true
    this.#full = true
    if (unsentBytes > this.#unsentBytesMax && !this.#pausedByUnsent) {
      this.#pausedByUnsent = true
      this.#webSocket.pause()
    }
    return false
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#pausedByOwner = true
    this.#webSocket.pause()
  }

  resume(): void {
    this.#pausedByOwner = false
    if (!this.#pausedByUnsent) this.#webSocket.resume()
  }

  get isPaused(): boolean {
    return this.#webSocket.isPaused
  }

  ping(): void {
    if (this.isOpen) this.#webSocket.ping()
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) {
      // The peer has ended its side without a close frame, and does not take the rest: for that `ws` has no deadline.
      if (!this.#closedHere) this.destroy()
      return
    }
    this.#closedHere = true
    // The answer to the close frame has to be read.
    this.#webSocket.resume()
    this.#webSocket.close(code, fitCloseReason(reason))
  }

  /** Cuts the line without a word, as a network that fails does. */
  destroy(): void {
    this.#webSocket.terminate()
  }

  /** @internal */
  handleMessage(data: Buffer, binary: boolean): void {
    // After our close frame, what the peer had under way is of no interest any more.
    if (this.isOpen) this.#owner?.handleFrame(data, binary)
  }

  /** @internal */
  handleDrain(): void {
    // The stream's own mark is lower than ours: most of its drains are news to nobody.
    if (!this.#full) return
    this.#full = false
    if (this.#pausedByUnsent) {
      this.#pausedByUnsent = false
      if (!this.#pausedByOwner) this.#webSocket.resume()
    }
    if (this.isOpen) this.#owner?.handleDrain()
  }

  /** @internal */
  handlePong(): void {
    this.#owner?.handlePong?.()
  }

  /** @internal */
  handleClose(code: number): void {
    const owner = this.#owner
    this.#owner = undefined
    owner?.handleClose(!this.#closedHere && ORDERLY_CODES.has(code))
  }
}

function onMessage(this: Receiver, data: unknown, binary: boolean): void {
  // `ws` gives a Buffer as long as its `binaryType` is left alone.
  ;(this as Receiver & Linked)[link].handleMessage(data as Buffer, binary)
}

function onClose(this: Receiver, code: number): void {
  ;(this as Receiver & Linked)[link].handleClose(code)
}

/** `ws` has closed, or will: `close` follows every error. What a peer does wrong is no news for the server's log. */
function onError(): void {
  // An error event that nobody listens for would end the process.
}

function onPong(this: Receiver): void {
  ;(this as Receiver & Linked)[link].handlePong()
}

function onDrain(this: Duplex): void {
  ;(this as Duplex & Linked)[link].handleDrain()
}
