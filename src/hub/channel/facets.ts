/** The collections of a channel's log, by facet. The log knows none of this. */
export const EVENTS = "events"
export const PRESENCE = "presence"
const STATE = "state/"

/** Each state has a collection of its own. */
export function stateCollection(name: string): string {
  return STATE + name
}

/** The name of the state whose collection this is; undefined when it is none. */
export function stateOf(collection: string): string | undefined {
  return collection.startsWith(STATE) ? collection.slice(STATE.length) : undefined
}

/** Whether a snapshot is made of this collection. */
export function isKeyed(collection: string): boolean {
  return collection !== EVENTS
}
