import type { Buffer } from "node:buffer"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Logger } from "../../hub/ports/logger.ts"
import { closeCodes } from "../../protocol/close.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { LinkOwner, WebSocketLink } from "./link.ts"
import type { WireFormat } from "./wire-format.ts"

/** What all peers of a hub have in common. */
export interface PeerSurroundings {
  readonly logger: Logger
  /** Called when a peer's link is gone. */
  readonly onGone: (link: WebSocketLink) => void
}

/** Between a link and its connection: decodes what comes, and keeps a failure to this one peer. */
export class Peer implements LinkOwner {
  readonly #link: WebSocketLink
  readonly #format: WireFormat
  readonly #connection: HubConnection
  readonly #surroundings: PeerSurroundings

  constructor(
    link: WebSocketLink,
    format: WireFormat,
    connection: HubConnection,
    surroundings: PeerSurroundings,
  ) {
    this.#link = link
    this.#format = format
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

  handleClose(orderly: boolean): void {
    this.#surroundings.onGone(this.#link)
    try {
      this.#connection.handleClose(orderly)
    } catch (error) {
      this.#fail(error)
    }
  }

  #decode(bytes: Buffer, binary: boolean): unknown {
    const format = this.#format
    if (binary !== format.binary) {
      const { name } = format.codec
      const [spoken, came] = format.binary ? ["binary", "text"] : ["text", "binary"]
      return new HoldfastError("invalid_message", `${name} travels in ${spoken} frames, a ${came} frame came`)
    }
    try {
      return format.decode(bytes)
    } catch (error) {
      if (error instanceof HoldfastError) return error
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#surroundings.logger.error("a connection failed and was closed", { error })
    this.#link.close(closeCodes.internal.code, "the server failed")
  }
}
