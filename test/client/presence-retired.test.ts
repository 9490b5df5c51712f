import { expect, test } from "vitest"
import { type OwnPresence, ownPresence, type PresencePorts } from "../../src/client/presence-view.ts"
import { Subscription } from "../../src/client/subscription.ts"
import { HoldfastError } from "../../src/protocol/error.ts"

const unused = () => {
  throw new Error("not part of this test")
}

/** The presence of a channel, and the server's answers to it. */
function presence(before?: OwnPresence) {
  const sent: object[] = []
  const answers: { resolve: (answer: object) => void; reject: (error: HoldfastError) => void }[] = []
  const retries: (() => void)[] = []
  const ports: PresencePorts = {
    send: (make) => {
      sent.push(make())
      return new Promise((resolve, reject) => answers.push({ resolve, reject }))
    },
    nowMs: () => 1_000,
    later: (ask) => retries.push(ask),
    handleError: unused,
  }
  const subscription = new Subscription("room/a", undefined, () => {})
  const feed = { subscription, read: unused, listen: () => () => {}, refuseWhenClosed: () => {} }
  return { own: ownPresence(feed, ports, before), sent, answers, retries }
}

test("a channel that another one replaces does not leave when its retry is due", async () => {
  const first = presence()
  const entered = first.own.view.enter("here")
  const second = presence(first.own)
  const left = second.own.close()
  const third = presence(second.own)
  const enteredAgain = third.own.view.enter("here again")

  second.answers[0]?.reject(new HoldfastError("superseded", "", { version: 1_005 }))
  await left
  for (const retry of second.retries) retry()
  third.answers[0]?.resolve({})
  await enteredAgain
  expect(second.sent).toMatchObject([{ type: "leave" }])
  first.answers[0]?.resolve({})
  await entered
})
