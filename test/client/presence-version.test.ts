import { expect, test } from "vitest"
import { ownPresence } from "../../src/client/presence-view.ts"
import { HoldfastError } from "../../src/protocol/error.ts"

const feed = { listen: () => () => {}, refuseWhenClosed: () => {}, subscription: {} } as never

test("after the server's clock was set back, versions are of its new time", async () => {
  let serverMs = 1_000_000
  const accepted: number[] = []
  const send = async (make: () => object) => {
    const { version } = make() as { version: number }
    if (version > serverMs + 60_000) throw new HoldfastError("version_ahead", "", { version: serverMs })
    accepted.push(version)
  }
  const { view } = ownPresence(feed, {
    send,
    // as of the welcome
    nowMs: () => 1_000_000,
    later: () => {
      throw new Error("one repetition is enough")
    },
    handleError: () => {},
  })
  await view.enter("a")
  serverMs -= 3_600_000
  await view.enter("b")
  await view.leave()
  expect(accepted[0]).toBeGreaterThanOrEqual(1_000_000)
  expect(accepted[1]).toBeLessThanOrEqual(serverMs + 60_000)
  expect(accepted[2]).toBeGreaterThan(accepted[1] as number)
})
