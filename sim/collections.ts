// The collections of a channel's log, as gaps name them: see docs/protocol.md.
export const EVENTS = "events"
export const PRESENCE = "presence"

export function stateCollection(name: string): string {
  return `state/${name}`
}

export function isState(collection: string): boolean {
  return collection.startsWith("state/")
}

/** Names one key of one collection. */
export function placeOf(collection: string, key: string): string {
  return `${collection} ${key}`
}

export function collectionOf(place: string): string {
  return place.slice(0, place.indexOf(" "))
}
