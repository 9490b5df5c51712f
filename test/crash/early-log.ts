import type { Log } from "../../src/log/log.ts"

/** How many appends this log holds back. */
const HELD_MAX = 50

/** A log of one channel with a defect: it acknowledges appends that it has yet to make. */
export async function acknowledgingEarly(log: Log, channel: string): Promise<Log> {
  let { epoch, top } = await log.head(channel)
  let held: (() => Promise<unknown>)[] = []
  return {
    ...boundTo(log),
    append: async (name, operation, options) => {
      held.push(() => log.append(name, operation, options))
      if (held.length === HELD_MAX) {
        for (const append of held) void append()
        held = []
      }
      top++
      return { status: "appended", position: { epoch, offset: top } }
    },
  }
}

/** A log may be an object of a class, whose members a spread would miss. */
function boundTo(log: Log): Log {
  return {
    append: (...args) => log.append(...args),
    head: (...args) => log.head(...args),
    read: (...args) => log.read(...args),
    readBack: (...args) => log.readBack(...args),
    find: (...args) => log.find(...args),
    offsetOfLast: (...args) => log.offsetOfLast(...args),
    watch: (...args) => log.watch(...args),
    trim: (...args) => log.trim(...args),
    close: () => log.close(),
  }
}
