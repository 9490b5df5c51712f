import type { Buffer } from "node:buffer"
import type { Logger } from "../../hub/options.ts"
import { closeCodes } from "../../protocol/close.ts"
import type { Codec } from "../../protocol/codec.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { LinkOwner, WebSocketLink } from "./link.ts"

/** What the hub makes of a link. */
export interface Connection {
  readonly handleMessage: (message: unknown, bytes: number) => void
  readonly handleInvalid: (error: HoldfastError) => void
  readonly handleDrain: () => void
  readonly handleClose: () => void
}

/** What all peers of a hub have in common. */
export interface PeerSurroundings {
  readonly logger: Logger
  /** Called when a peer's link is gone. */
  readonly onGone: (link: WebSocketLink) => void
}

/** Between a link and its connection: decodes what comes, and keeps a failure to this one peer. */
export class Peer implements LinkOwner {
  readonly #link: WebSocketLink
  readonly #codec: Codec
  readonly #connection: Connection
  readonly #surroundings: PeerSurroundings

  constructor(link: WebSocketLink, codec: Codec, connection: Connection, surroundings: PeerSurroundings) {
    this.#link = link
    this.#codec = codec
    this.#connection = connection
    this.#surroundings = surroundings
  }

  handleFrame(bytes: Buffer, binary: boolean): void {
    try {
      const message = this.#decode(bytes, binary)
      if (message instanceof HoldfastError) this.#connection.handleInvalid(message)
      else this.#connection.handleMessage(message, bytes.byteLength)
    } catch (error) {
      this.#fail(error)
    }
  }

  handleDrain(): void {
    try {
      this.#connection.handleDrain()
    } catch (error) {
      this.#fail(error)
    }
  }

  handleClose(): void {
    this.#surroundings.onGone(this.#link)
    try {
      this.#connection.handleClose()
    } catch (error) {
      this.#fail(error)
    }
  }

  #decode(bytes: Buffer, binary: boolean): unknown {
    const codec = this.#codec
    if (binary !== (codec.name === "msgpack")) {
      return new HoldfastError(
        "invalid_message",
        binary
          ? "This connection speaks JSON in text frames; this was a binary frame."
          : "This connection speaks MessagePack in binary frames; this was a text frame.",
      )
    }
    try {
      return codec.decode(binary ? bytes : bytes.toString("utf8"))
    } catch (error) {
      if (error instanceof HoldfastError) return error
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#surroundings.logger.error("A connection failed, and was closed.", { error })
    this.#link.close(closeCodes.internal.code, "the server failed")
  }
}
