import type { Link } from "./link.ts"

/** The sending side of a connection, as those who deliver to it see it. */
export class Outlet {
  readonly link: Link
  /** The link is above its high-water mark: nothing but answers is written until it has drained. */
  blocked = false
  corked = false

  constructor(link: Link) {
    this.link = link
  }

  write(bytes: Uint8Array): void {
    if (!this.link.write(bytes)) this.blocked = true
  }

  send(message: object): void {
    this.write(this.link.encoding.frame(message))
  }
}
