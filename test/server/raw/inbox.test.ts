import { expect, test } from "vitest"
import { Inbox } from "../../../src/server/raw/inbox.ts"

function inboxOf(itemsMax: number) {
  const said: string[] = []
  const inbox = new Inbox<number>(
    itemsMax,
    () => said.push("full"),
    () => said.push("room"),
  )
  return { inbox, said }
}

test("items are read in the order in which they came, before and after the reader", async () => {
  const { inbox } = inboxOf(10)
  inbox.push(1)
  inbox.push(2)
  expect(await inbox.next()).toEqual({ done: false, value: 1 })
  expect(await inbox.next()).toEqual({ done: false, value: 2 })
  const third = inbox.next()
  inbox.push(3)
  expect(await third).toEqual({ done: false, value: 3 })
})

test("says once that it is full, and once that there is room, at half", async () => {
  const { inbox, said } = inboxOf(4)
  for (let item = 0; item < 6; item++) inbox.push(item)
  expect(said).toEqual(["full"])
  for (let count = 0; count < 3; count++) await inbox.next()
  expect(said).toEqual(["full"])
  await inbox.next()
  await inbox.next()
  expect(said).toEqual(["full", "room"])
})

test("ends after what is left", async () => {
  const { inbox } = inboxOf(4)
  inbox.push(1)
  inbox.end()
  inbox.push(2)
  expect(await inbox.next()).toEqual({ done: false, value: 1 })
  expect(await inbox.next()).toEqual({ done: true, value: undefined })
})

test("ends a reader that waits", async () => {
  const { inbox } = inboxOf(4)
  const read = inbox.next()
  inbox.end()
  expect(await read).toEqual({ done: true, value: undefined })
})

test("has one reader", async () => {
  const { inbox } = inboxOf(4)
  const first = inbox.next()
  await expect(inbox.next()).rejects.toThrow("one reader")
  inbox.end()
  await first
})
