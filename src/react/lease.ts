export interface LeasePorts<T> {
  readonly make: () => T
  readonly end: (held: T) => void
  /** Runs a task some time from now. Returns how to cancel it. */
  readonly later: (task: () => void) => () => void
}

/**
 * What is made for its first user and ended some time after its last: who leaves and comes right back, as React's strict
 * mode and a change of routes do, finds it as it was.
 */
export class Lease<T> {
  readonly #ports: LeasePorts<T>
  #held: { readonly value: T } | undefined
  #users = 0
  #cancelEnd: (() => void) | undefined

  constructor(ports: LeasePorts<T>) {
    this.#ports = ports
  }

  /** What there is, if it is in use or was a moment ago. */
  get current(): T | undefined {
    return this.#held?.value
  }

  /** Returns it, and how to say that it is used no more. */
  use(): readonly [value: T, release: () => void] {
    this.#held ??= { value: this.#ports.make() }
    this.#users++
    this.#cancelEnd?.()
    this.#cancelEnd = undefined
    let released = false
    const release = () => {
      if (released) return
      released = true
      if (--this.#users === 0) this.#cancelEnd = this.#ports.later(() => this.#end())
    }
    return [this.#held.value, release]
  }

  #end(): void {
    const held = this.#held
    this.#held = this.#cancelEnd = undefined
    if (held !== undefined) this.#ports.end(held.value)
  }
}
