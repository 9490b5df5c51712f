import type { Bus } from "../../log/bus.ts"
import type { Connection } from "./connection.ts"
import { failureOf } from "./failure.ts"
import { placeOf } from "./keys.ts"
import type { Live, LiveListener } from "./live.ts"
import type { RedisLogSettings } from "./options.ts"

/** What was published and Redis has not taken yet; beyond, it is dropped. */
const UNSENT_MAX = 1_000
const UNSENT_BYTES_MAX = 4 * 1024 * 1024

interface Topic extends LiveListener {
  readonly listeners: Set<(body: Uint8Array) => void>
  subscribed: Promise<void>
}

/** Sharded pub/sub on the connections that the log has anyway. A topic without subscribers on this node costs this node nothing. */
export function redisBus(
  connection: Connection,
  live: Live,
  { prefix, onError }: RedisLogSettings,
  database: number,
): Bus & { readonly close: () => void } {
  const topics = new Map<string, Topic>()
  let unsent = 0
  let unsentBytes = 0
  // no channel begins with this, so the messages of neither are taken for the other's
  const placeOfTopic = (topic: string) => placeOf(prefix, `$bus:${topic}`, database)

  const begin = (name: string): Topic => {
    const listeners: Topic["listeners"] = new Set()
    const topic: Topic = {
      place: placeOfTopic(name),
      listeners,
      subscribed: Promise.resolve(),
      handleMessage: (message) => {
        for (const listener of [...listeners]) tell(listener, message, onError)
      },
      handleRestored: async () => {},
    }
    topics.set(name, topic)
    topic.subscribed = live.add(topic)
    topic.subscribed.catch(() => {
      if (topics.get(name) === topic) topics.delete(name)
    })
    return topic
  }

  return {
    publish: (topic, body) => {
      if (unsent >= UNSENT_MAX || unsentBytes >= UNSENT_BYTES_MAX) return
      const { live: name } = placeOfTopic(topic)
      unsent++
      unsentBytes += body.byteLength
      const done = () => {
        unsent--
        unsentBytes -= body.byteLength
      }
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      // without a connection there is nothing to wait for: it is dropped
      connection.send(name, ["SPUBLISH", name, bytes], 0).then(done, done)
    },
    subscribe: async (name, listener) => {
      const topic = topics.get(name) ?? begin(name)
      // the same function may listen twice
      const own = (body: Uint8Array) => listener(body)
      topic.listeners.add(own)
      const stop = () => {
        topic.listeners.delete(own)
        if (topic.listeners.size > 0 || topics.get(name) !== topic) return
        topics.delete(name)
        live.remove(topic)
      }
      try {
        await topic.subscribed
      } catch (error) {
        stop()
        throw failureOf(error)
      }
      return stop
    },
    close: () => topics.clear(),
  }
}

function tell(
  listener: (body: Uint8Array) => void,
  body: Uint8Array,
  onError: (error: unknown) => void,
): void {
  try {
    listener(body)
  } catch (error) {
    onError(error)
  }
}
