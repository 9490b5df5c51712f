import type { Bus } from "../log/bus.ts"
import type { Log } from "../log/log.ts"
import { memoryLog } from "../logs/memory/index.ts"

/** A log for several hubs of one process, as nodes that share an engine have it: with a bus, and closed by none of them. */
export function sharedLog(log: Log = memoryLog()): Log {
  return { ...log, shared: true, bus: memoryBus(), close: async () => {} }
}

function memoryBus(): Bus {
  const topics = new Map<string, Set<(body: Uint8Array) => void>>()
  return {
    publish: (topic, body) => {
      for (const listener of [...(topics.get(topic) ?? [])]) listener(body)
    },
    subscribe: async (topic, listener) => {
      const listeners = topics.get(topic) ?? new Set()
      topics.set(topic, listeners)
      // the same function may listen twice
      const own = (body: Uint8Array) => listener(body)
      listeners.add(own)
      return () => {
        listeners.delete(own)
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic)
      }
    },
  }
}
