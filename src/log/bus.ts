/**
 * What the hub needs to reach other nodes past the log: for what nobody has to find later. Reachable as `log.bus`, so that
 * who shares a log shares it too.
 */
export interface Bus {
  /**
   * Hands `body` to those who subscribe to `topic` at this moment, on this node and on others. What cannot be sent now is
   * dropped. What one node publishes to a topic arrives in its order, as far as it arrives.
   */
  readonly publish: (topic: string, body: Uint8Array) => void
  /**
   * From when the promise resolves until the returned function is called, `listener` is told. After an interruption it goes
   * on by itself; what was published meanwhile is lost.
   */
  readonly subscribe: (topic: string, listener: (body: Uint8Array) => void) => Promise<() => void>
}
