/** What a server would keep beside the log: which events there were, by channel. It outlives nodes and lives of the log. */
export class Database {
  readonly #events = new Map<string, Set<string>>()

  add(channel: string, id: string): void {
    this.#of(channel).add(id)
  }

  load(channel: string): readonly string[] {
    return [...this.#of(channel)]
  }

  #of(channel: string): Set<string> {
    let events = this.#events.get(channel)
    if (events === undefined) {
      events = new Set()
      this.#events.set(channel, events)
    }
    return events
  }
}
