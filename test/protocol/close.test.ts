import { describe, expect, test } from "vitest"
import { closeCodes, reconnectsAfter } from "../../src/protocol/close.ts"

const codes = Object.entries(closeCodes)

describe("close codes", () => {
  test("are ones that RFC 6455 lets an application send", () => {
    for (const [, { code }] of codes) {
      expect(
        code === 1000 || code === 1001 || (code >= 1007 && code <= 1011) || (code >= 4000 && code < 5000),
      ).toBe(true)
    }
  })

  test("each mean one thing", () => {
    expect(new Set(codes.map(([, { code }]) => code)).size).toBe(codes.length)
  })
})

describe("a client comes back", () => {
  test.each(codes)("after %s as the table says", (_reason, { code, reconnect }) => {
    expect(reconnectsAfter(code)).toBe(reconnect)
  })

  test.each([1005, 1006, 1012, 1013, 1014, 3000, 4999, 0])("after %i, which is none of ours", (code) => {
    expect(reconnectsAfter(code)).toBe(true)
  })
})
