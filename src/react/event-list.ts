import type { AnyDefinition } from "../client/channel.ts"
import type { Channel, ChannelEvent, GapChange } from "../client/index.ts"
import { type Batch, View } from "./view.ts"

/** An event of a list. */
export type ListedEvent<Event = ChannelEvent<AnyDefinition>> = Event & {
  /** Its own within the list, for React's `key`. */
  readonly key: string
  /** What can no longer be had, between the event before and this one. */
  readonly gap?: GapChange
}

/** The last so many events of some names, in their order, from now on. */
export function eventList(
  channel: Channel<AnyDefinition>,
  names: readonly string[],
  last: number,
  batch: Batch,
): View<readonly ListedEvent[]> {
  let events: ListedEvent[] = []
  let shown: readonly ListedEvent[] = []
  let missed: GapChange | undefined
  /** Behind some gaps offsets begin anew. */
  let gaps = 0
  const latest = () => events.slice(Math.max(events.length - last, 0))
  const view = new View(batch, () => {
    if (shown.at(-1) !== events.at(-1)) shown = latest()
    return shown
  })
  const add = (event: ChannelEvent<AnyDefinition>) => {
    const key = `${gaps}-${event.offset}`
    events.push(missed === undefined ? { ...event, key } : { ...event, key, gap: missed })
    missed = undefined
    // not with each event, as that moves all of them
    if (events.length > 2 * last) events = latest()
    view.touch()
  }
  channel.onGap((gap) => {
    if (gap.collections?.includes("events") === false) return
    // of several without an event between them, all that they span
    missed = { ...gap, from: missed?.from ?? gap.from }
    gaps++
  })
  for (const name of names) channel.on(name, (data, meta) => add({ name, data, ...meta }))
  return view
}
