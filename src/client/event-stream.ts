import { HoldfastError } from "../protocol/error.ts"

/** A channel's events for `for await`, and how they get there. */
export interface EventStream<Event extends object> {
  readonly events: AsyncGenerator<Event, undefined, undefined>
  readonly push: (event: Event) => void
  /** What is held can still be taken; then it ends, with the error if there is one. */
  readonly end: (error: HoldfastError | undefined) => void
}

/**
 * Holds the events that were not taken yet, up to a limit, at which it ends with an error: whoever falls so far behind has
 * to know. `handleEnd` is called when no more events are wanted.
 */
export function eventStream<Event extends object>(limit: number, handleEnd: () => void): EventStream<Event> {
  const held: Event[] = []
  let wake: (() => void) | undefined
  let ended = false
  let reason: HoldfastError | undefined

  const end = (error: HoldfastError | undefined) => {
    if (ended) return
    ended = true
    reason = error
    handleEnd()
    wake?.()
  }
  const push = (event: Event) => {
    if (ended) return
    if (held.length < limit) held.push(event)
    else end(new HoldfastError("buffer_full", `${limit} events wait to be taken, the limit`, { limit }))
    wake?.()
  }
  async function* events(): AsyncGenerator<Event, undefined, undefined> {
    try {
      for (;;) {
        for (let event = held.shift(); event !== undefined; event = held.shift()) yield event
        if (reason !== undefined) throw reason
        if (ended) return undefined
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      end(undefined)
    }
  }
  const generator = events()
  const leave = generator.return.bind(generator)
  // a generator that waits for an event would look up from it only with the next one
  generator.return = (value) => {
    held.length = 0
    end(undefined)
    return leave(value)
  }
  return { events: generator, push, end }
}
