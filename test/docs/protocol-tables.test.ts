import { describe, expect, test } from "vitest"
import { NAME_LENGTH_MAX } from "../../src/contract/check-definition.ts"
import { CHANNEL_NAME_LENGTH_MAX } from "../../src/contract/pattern.ts"
import { defaultLimits } from "../../src/hub/limits.ts"
import {
  HISTORY_LAST_MAX,
  IDEMPOTENCY_KEY_LENGTH_MAX,
  KEY_LENGTH_MAX,
} from "../../src/protocol/client-message.ts"
import { CLOSE_REASON_BYTES_MAX, closeCodes } from "../../src/protocol/close.ts"
import { subprotocols } from "../../src/protocol/message.ts"
import { EPOCH_LENGTH_MAX } from "../../src/protocol/position.ts"
import { BODY_DEPTH_MAX, DEPTH_MAX } from "../../src/protocol/value.ts"
import { defaultServerLimits } from "../../src/server/limits.ts"
import { readPage } from "./markdown.ts"

const page = readPage("protocol.md")
const rowsOf = (title: string) => page.sections.find((section) => section.title === title)!.rows

test("the page lists the subprotocols", () => {
  expect(rowsOf("Connecting").map(([name]) => name)).toEqual(
    expect.arrayContaining(Object.values(subprotocols).map((name) => `\`${name}\``)),
  )
})

test("the page lists every close code, and whether to come back after it", () => {
  const listed = rowsOf("Close codes")
    .slice(1)
    .map(([code, , reconnect]) => ({ code: Number(code), reconnect: reconnect!.startsWith("yes") }))
  const declared = Object.values(closeCodes)
  expect(listed).toEqual(declared.toSorted((a, b) => a.code - b.code))
})

describe("the page lists limits as they are", () => {
  const rows = rowsOf("Limits")
  const split = rows.findIndex(([name]) => name === "limit")

  test("those of the protocol", () => {
    expect(Object.fromEntries(rows.slice(1, split))).toEqual({
      "a channel's name": `${CHANNEL_NAME_LENGTH_MAX} characters`,
      "the name of an event, state, signal or call": `${NAME_LENGTH_MAX} characters`,
      "a key of state": `${KEY_LENGTH_MAX} characters`,
      "an idempotency key": `${IDEMPOTENCY_KEY_LENGTH_MAX} characters`,
      "an epoch": `${EPOCH_LENGTH_MAX} characters`,
      "`history.last`": `${HISTORY_LAST_MAX}`,
      "nesting of a message": `${DEPTH_MAX} levels`,
      "nesting of a payload": `${BODY_DEPTH_MAX} levels`,
      "a close reason": `${CLOSE_REASON_BYTES_MAX} bytes`,
    })
  })

  test.each(
    rows.slice(split + 1).map(([name, value]) => [name!.replaceAll("`", ""), Number(value)] as const),
  )("%s, the server's", (name, value) => {
    expect({ ...defaultLimits, ...defaultServerLimits }).toHaveProperty(name, value)
  })
})
