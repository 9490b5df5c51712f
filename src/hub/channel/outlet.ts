import type { ServerMessage } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import type { Link } from "../ports/link.ts"

/** The sending side of a connection, as those who deliver to it see it. */
export class Outlet {
  readonly link: Link
  /** The link is above its high-water mark: nothing but answers is written until it has drained. */
  blocked = false
  /** What is written goes out at the end of the turn. */
  corked = false
  readonly #cork: (outlet: Outlet) => void

  /** `cork`: gathers what is written to an outlet in this turn. */
  constructor(link: Link, cork: (outlet: Outlet) => void) {
    this.link = link
    this.#cork = cork
  }

  write(bytes: Uint8Array): void {
    if (!this.link.write(bytes)) this.blocked = true
  }

  /** `position`: where the subscriber's cursor stands behind it, if it moves one. */
  send(message: ServerMessage, position?: Position): void {
    const { link } = this
    // more answers and entries may follow in this turn
    if (!this.corked) this.#cork(this)
    if (link.send === undefined) this.write(link.encoding.frame(message, position))
    else if (!link.send(message, position)) this.blocked = true
  }
}
