import { describe, expect, test } from "vitest"
import { HoldfastError } from "../../src/protocol/error.ts"
import { errorCodes } from "../../src/protocol/error-codes.ts"

describe("an error", () => {
  test("has a sentence, or else its code", () => {
    expect(new HoldfastError("not_allowed", "Ada may not write here.").message).toBe(
      "Ada may not write here.",
    )
    expect(new HoldfastError("not_allowed").message).toBe("not_allowed")
  })

  test("has only the details that it was given", () => {
    expect(Object.keys(new HoldfastError("timeout"))).not.toContain("path")
    const error = new HoldfastError("invalid_payload", undefined, { path: "", limit: 0, data: null })
    expect(error).toMatchObject({ path: "", limit: 0, data: null })
  })

  test("is an Error that can be told from others", () => {
    const error = new HoldfastError("closed")
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe("HoldfastError")
    expect(error.stack).toContain("HoldfastError: closed")
  })
})

test.each(Object.entries(errorCodes))(
  "%s is a code of small letters and a full sentence",
  (code, sentence) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(sentence).toMatch(/^[A-Z].*\.$/)
  },
)
