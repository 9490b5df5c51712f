import type { Logger } from "../../hub/ports/logger.ts"
import { closeCodes } from "../../protocol/close.ts"
import { plainFrame } from "../websocket/encoding.ts"
import type { LinkOwner, WebSocketLink } from "../websocket/link.ts"
import { Inbox } from "./inbox.ts"

/** A string came in a text frame and goes out in one, bytes in a binary frame. */
export type RawMessage = string | Uint8Array

/** A plain WebSocket, without Holdfast's protocol on it. */
export interface RawSocket extends AsyncIterable<RawMessage> {
  /** The subprotocol that was agreed on; empty when there is none. */
  readonly subprotocol: string
  /**
   * Sends a message. True when there is room for more; a promise when there is not, which resolves to true when there is
   * again; false, at once or from the promise, when the socket is closed. Awaiting it is all that backpressure takes.
   */
  readonly send: (message: RawMessage) => boolean | Promise<boolean>
  /**
   * Calls `listener` with each message, in order, and with the next only when the promise that it may return has settled;
   * the peer is paused meanwhile. What it throws is logged and closes the socket (1011). The alternative is to read with
   * `for await (const message of socket)`; there is one reader.
   */
  readonly onMessage: (listener: (message: RawMessage) => unknown) => void
  /** Calls `listener` when the socket is gone, for whatever reason; at once if it is gone already. */
  readonly onClose: (listener: () => void) => void
  /** Closes in an orderly way: what was sent goes out first. Default: 1000. */
  readonly close: (code?: number, reason?: string) => void
}

export interface RawSocketOptions {
  /** How many messages may wait for the reader before the peer is paused. */
  readonly rawInboxMessagesMax: number
  /** How many bytes a sender that does not wait for room may leave here before the line is cut. */
  readonly rawUnsentBytesMax: number
  readonly logger: Logger
  /** Called when a socket is gone. */
  readonly onGone: (socket: RawConnection, link: WebSocketLink<undefined>) => void
}

export class RawConnection implements RawSocket, LinkOwner {
  readonly subprotocol: string
  readonly #link: WebSocketLink<undefined>
  readonly #options: RawSocketOptions
  readonly #inbox: Inbox<RawMessage>
  readonly #closeListeners: (() => void)[] = []
  #room: { readonly promise: Promise<boolean>; readonly settle: (open: boolean) => void } | undefined
  #closed = false
  #heard = true
  #unsentBytesBefore = 0

  constructor(link: WebSocketLink<undefined>, subprotocol: string, options: RawSocketOptions) {
    this.subprotocol = subprotocol
    this.#link = link
    this.#options = options
    this.#inbox = new Inbox(
      options.rawInboxMessagesMax,
      () => link.pause(),
      () => {
        // What the peer sent meanwhile, pongs too, comes only now.
        this.#heard = true
        link.resume()
      },
    )
  }

  send(message: RawMessage): boolean | Promise<boolean> {
    if (!this.#link.isOpen) return false
    if (this.#link.write(plainFrame(message))) return true
    if (this.#link.unsentBytes > this.#options.rawUnsentBytesMax) {
      const { rawUnsentBytesMax } = this.#options
      this.#options.logger.warn("a raw socket was cut: more was sent than its peer reads", {
        rawUnsentBytesMax,
      })
      this.#link.destroy()
      return false
    }
    this.#room ??= withResolver()
    return this.#room.promise
  }

  onMessage(listener: (message: RawMessage) => unknown): void {
    this.#deliver(listener).catch((error: unknown) => {
      this.#options.logger.error("the listener of a raw socket failed", { error })
      this.close(closeCodes.internal.code, "the server's handler failed")
    })
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#closeListeners.push(listener)
  }

  close(code: number = closeCodes.normal.code, reason = ""): void {
    this.#link.close(code, reason)
  }

  [Symbol.asyncIterator](): AsyncIterator<RawMessage, undefined> {
    return { next: () => this.#inbox.next() }
  }

  /** Sends a ping. Cuts the line when nothing came since the last one. */
  checkHeartbeat(): void {
    const { unsentBytes, isPaused } = this.#link
    // A ping may still be stuck behind much else, as long as that moves; and from a peer that is not read from, nothing
    // can come.
    const mayLive = this.#heard || isPaused || (unsentBytes > 0 && unsentBytes !== this.#unsentBytesBefore)
    if (!mayLive) {
      this.#link.destroy()
      return
    }
    this.#unsentBytesBefore = unsentBytes
    this.#heard = false
    this.#link.ping()
  }

  handleFrame(bytes: Buffer, binary: boolean): void {
    this.#heard = true
    this.#inbox.push(binary ? bytes : bytes.toString("utf8"))
  }

  handlePong(): void {
    this.#heard = true
  }

  handleDrain(): void {
    this.#settleRoom(true)
  }

  handleClose(): void {
    this.#closed = true
    this.#options.onGone(this, this.#link)
    this.#inbox.end()
    this.#settleRoom(false)
    for (const listener of this.#closeListeners.splice(0)) {
      try {
        listener()
      } catch (error) {
        this.#options.logger.error("a close listener of a raw socket failed", { error })
      }
    }
  }

  async #deliver(listener: (message: RawMessage) => unknown): Promise<void> {
    for await (const message of this) await listener(message)
  }

  #settleRoom(open: boolean): void {
    const room = this.#room
    this.#room = undefined
    room?.settle(open)
  }
}

function withResolver() {
  let settle: (open: boolean) => void = () => undefined
  const promise = new Promise<boolean>((resolve) => {
    settle = resolve
  })
  return { promise, settle }
}
