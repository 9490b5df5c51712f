import type { Clock } from "../hub/ports/clock.ts"
import type { Log } from "../log/log.ts"

/** What a process is given of the world, until it is killed. */
export interface TestProcess {
  readonly clock: Clock
  readonly log: Log
  /** Ends it as `kill -9` does: nothing that it planned happens any more, and no answer reaches it. */
  readonly kill: () => void
}

/** Lends a clock and a log to one process. `skewMs` is how far its wall clock is off. */
export function testProcess(
  world: { readonly clock: Clock; readonly log: Log },
  skewMs: () => number = () => 0,
): TestProcess {
  let killed = false
  const whileAlive =
    <Args extends readonly unknown[]>(run: (...args: Args) => void) =>
    (...args: Args) => {
      if (!killed) run(...args)
    }
  /** What is asked of a dead process's log is not carried out, and what it had asked for before is not answered. */
  const ask = <T>(work: () => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      if (!killed) work().then(whileAlive(resolve), whileAlive(reject))
    })
  const { clock, log } = world
  const { bus } = log
  return {
    clock: {
      now: () => clock.now() + skewMs(),
      monotonic: clock.monotonic,
      after: (ms, task) => clock.after(ms, whileAlive(task)),
      soon: (task) => clock.soon(whileAlive(task)),
    },
    log: {
      ...log,
      append: (channel, operation, options) => ask(() => log.append(channel, operation, options)),
      head: (channel) => ask(() => log.head(channel)),
      read: (channel, range) => ask(() => log.read(channel, range)),
      readBack: (channel, range) => ask(() => log.readBack(channel, range)),
      find: (channel, collection, key) => ask(() => log.find(channel, collection, key)),
      offsetOfLast: (channel, collection, count) => ask(() => log.offsetOfLast(channel, collection, count)),
      watch: (channel, listener) => ask(() => log.watch(channel, whileAlive(listener))),
      trim: (channel, retention, nowMs) => ask(() => log.trim(channel, retention, nowMs)),
      close: () => ask(() => log.close()),
      ...(bus !== undefined && {
        bus: {
          publish: whileAlive(bus.publish),
          subscribe: (topic, listener) => ask(() => bus.subscribe(topic, whileAlive(listener))),
        },
      }),
    },
    kill: () => {
      killed = true
    },
  }
}
