import { expect, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { lines, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const failure = new HoldfastError("log_unavailable", "it is away")

/** A hub whose log can be made to say that it cannot be reached. */
function world() {
  const listeners = new Set<(failure: HoldfastError | undefined) => void>()
  const log: Log = {
    ...memoryLog(),
    watchAvailability: (listener) => {
      listeners.add(listener)
      listener(undefined)
      return () => listeners.delete(listener)
    },
  }
  const tell = (why?: HoldfastError) => {
    for (const listener of listeners) listener(why)
  }
  return { ...rig(room, { channels: handlers }, log), tell }
}

test("whether the log can be reached is told to everybody who was let in, once per change", async () => {
  const { peer, tell, hub } = world()
  const [one, stranger] = [peer(), peer()]
  await one.hello()
  tell(failure)
  tell(new HoldfastError("log_unavailable", "it still is"))
  expect(one.all("log")).toEqual([{ type: "log", available: false }])
  expect(hub.logFailure()?.message).toBe("it still is")
  tell()
  tell()
  expect(one.all("log").map(({ available }) => available)).toEqual([false, true])
  expect(hub.logFailure()).toBeUndefined()
  expect(stranger.received).toEqual([])
})

test("who comes while it cannot is told behind welcome", async () => {
  const { peer, tell } = world()
  tell(failure)
  const late = peer()
  await late.hello()
  expect(late.received.map(({ type }) => type)).toEqual(["welcome", "log"])
  tell()
  const later = peer()
  await later.hello()
  expect(later.received.map(({ type }) => type)).toEqual(["welcome"])
})

test("everybody gets the same bytes", async () => {
  const { peer, tell } = world()
  const encoding = lines()
  const peers = Array.from({ length: 20 }, () => peer(encoding))
  for (const each of peers) await each.hello()
  const before = encoding.made()
  tell(failure)
  expect(encoding.made()).toBe(before + 1)
})

test("a hub that is closed is told nothing more", async () => {
  const { hub, tell } = world()
  await hub.close()
  tell(failure)
  expect(hub.logFailure()).toBeUndefined()
})
