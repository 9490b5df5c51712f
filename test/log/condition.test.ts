import { describe, expect, test } from "vitest"
import { type Evidence, judge, type KeyState } from "../../src/log/condition.ts"
import type { Condition, Operation } from "../../src/log/operation.ts"
import { extend, put, remove } from "../../src/testing/log-contract/operations.ts"

const NOW = 1_000

function value(more: Partial<KeyState> = {}): KeyState {
  return { hasValue: true, offset: 7, version: 0, holder: "", lapsesAt: Infinity, ...more }
}

function removal(more: Partial<KeyState> = {}): KeyState {
  return value({ hasValue: false, ...more })
}

/** Judges an operation whose body is, or is not, that of the key's value. */
function verdict(
  operation: Operation,
  condition: Condition | undefined,
  key: KeyState | undefined,
  more: Partial<Evidence> & { readonly same?: boolean } = {},
) {
  const { same = false, ...evidence } = more
  return judge(operation, condition, {
    key,
    forgottenVersion: 0,
    nowMs: NOW,
    isSameBody: () => same,
    ...evidence,
  })
}

const refused = { lowest: undefined }

describe("without a condition", () => {
  test("an operation is carried out, whatever there is", () => {
    for (const key of [undefined, removal(), value({ version: 9 })]) {
      for (const operation of [put("k"), remove("k")])
        expect(verdict(operation, undefined, key)).toBe("apply")
    }
  })

  test("an extend needs a value", () => {
    expect(verdict(extend("k"), undefined, value())).toBe("apply")
    expect(verdict(extend("k"), undefined, removal())).toEqual(refused)
    expect(verdict(extend("k"), undefined, undefined)).toEqual(refused)
    expect(verdict(extend("k"), { version: 9 }, removal())).toEqual(refused)
  })
})

describe("the expected entry", () => {
  test("is the key's latest, a value or a removal", () => {
    for (const key of [value(), removal()]) {
      expect(verdict(put("k"), { latest: 7 }, key)).toBe("apply")
      for (const latest of [0, 6, 8]) expect(verdict(put("k"), { latest }, key)).toEqual(refused)
    }
  })

  test("is 0 for a key that the log does not know", () => {
    expect(verdict(put("k"), { latest: 0 }, undefined)).toBe("apply")
    expect(verdict(put("k"), { latest: 7 }, undefined)).toEqual(refused)
  })
})

describe("a lapse", () => {
  const lapsed = { lapsed: true } as const

  test("holds from the moment on at which the lease ends", () => {
    expect(verdict(remove("k"), lapsed, value({ lapsesAt: NOW - 1 }))).toBe("apply")
    expect(verdict(remove("k"), lapsed, value({ lapsesAt: NOW }))).toBe("apply")
    expect(verdict(remove("k"), lapsed, value({ lapsesAt: NOW + 1 }))).toEqual(refused)
  })

  test("never holds without a lease or without a value", () => {
    expect(verdict(remove("k"), lapsed, value())).toEqual(refused)
    expect(verdict(remove("k"), lapsed, removal({ lapsesAt: 0 }))).toEqual(refused)
    expect(verdict(put("k"), lapsed, undefined)).toEqual(refused)
  })

  test("does not stand for the other conditions", () => {
    const key = value({ lapsesAt: 0, version: 5 })
    expect(verdict(remove("k"), { lapsed: true, latest: 6 }, key)).toEqual(refused)
    expect(verdict(remove("k"), { lapsed: true, version: 4 }, key)).toEqual({ lowest: 6 })
    expect(verdict(remove("k"), { lapsed: true, version: 5, latest: 7 }, key)).toBe("apply")
  })
})

describe("a version", () => {
  const five = value({ version: 5, holder: "node" })

  test.each([
    ["put", put("k"), 4, { lowest: 6 }],
    ["put", put("k"), 5, { lowest: 6 }],
    ["put", put("k"), 6, "apply"],
    ["extend", extend("k"), 5, { lowest: 6 }],
    ["extend", extend("k"), 6, "apply"],
    ["remove", remove("k"), 4, { lowest: 6 }],
    ["remove", remove("k"), 5, "apply"],
    ["remove", remove("k"), 6, "apply"],
  ] as const)("of a value is compared with that of a %s (%#)", (_, operation, version, expected) => {
    expect(verdict(operation, { version }, five)).toEqual(expected)
  })

  test.each([
    ["put", put("k"), 5, { lowest: 6 }],
    ["put", put("k"), 6, "apply"],
    ["remove", remove("k"), 5, { lowest: 6 }],
    ["remove", remove("k"), 6, "touch"],
  ] as const)("of a removal is compared with that of a %s (%#)", (_, operation, version, expected) => {
    expect(verdict(operation, { version }, removal({ version: 5 }))).toEqual(expected)
  })

  test.each([
    ["put", put("k"), 5, { lowest: 6 }],
    ["put", put("k"), 6, "apply"],
    ["remove", remove("k"), 5, { lowest: 6 }],
    ["remove", remove("k"), 6, "apply"],
  ] as const)("that was forgotten is compared with that of a %s (%#)", (_, operation, version, expected) => {
    expect(verdict(operation, { version }, undefined, { forgottenVersion: 5 })).toEqual(expected)
  })

  test("that was forgotten does not count for a key that is known", () => {
    expect(verdict(put("k"), { version: 6 }, five, { forgottenVersion: 9 })).toBe("apply")
    expect(verdict(put("k"), { version: 6 }, removal({ version: 5 }), { forgottenVersion: 9 })).toBe("apply")
  })

  test("repeated with value and holder changes the lease alone", () => {
    const again = put("k", "", { holder: "node" })
    expect(verdict(again, { version: 5 }, five, { same: true })).toBe("touch")
    expect(verdict(again, { version: 5 }, five, { same: false })).toEqual({ lowest: 6 })
    expect(verdict(put("k"), { version: 5 }, five, { same: true })).toEqual({ lowest: 6 })
    expect(verdict(extend("k"), { version: 5 }, five, { same: true })).toEqual({ lowest: 6 })
    expect(verdict(again, { version: 5, latest: 6 }, five, { same: true })).toEqual(refused)
  })

  test("0 repeats a key without a version", () => {
    expect(verdict(put("k"), { version: 0 }, value(), { same: true })).toBe("touch")
    expect(verdict(put("k"), { version: 0 }, undefined)).toEqual({ lowest: 1 })
    expect(verdict(remove("k"), { version: 0 }, value())).toBe("apply")
  })
})

describe("a quiet put", () => {
  const quiet = put("k", "", { quiet: true })

  test("of the same value changes all but the value", () => {
    expect(verdict(quiet, undefined, value(), { same: true })).toBe("touch")
    expect(verdict(quiet, { version: 6 }, value({ version: 5 }), { same: true })).toBe("touch")
    expect(verdict(quiet, { latest: 7 }, value(), { same: true })).toBe("touch")
    expect(verdict(quiet, { lapsed: true }, value({ lapsesAt: 0 }), { same: true })).toBe("touch")
  })

  test("of another value, and of a key without one, is a put like any other", () => {
    expect(verdict(quiet, undefined, value(), { same: false })).toBe("apply")
    expect(verdict(quiet, undefined, removal(), { same: true })).toBe("apply")
    expect(verdict(quiet, undefined, undefined)).toBe("apply")
  })

  test("is refused as any other", () => {
    expect(verdict(quiet, { latest: 6 }, value(), { same: true })).toEqual(refused)
    expect(verdict(quiet, { version: 4 }, value({ version: 5 }), { same: true })).toEqual({ lowest: 6 })
  })

  test("compares bodies only when it matters", () => {
    const never = () => {
      throw new Error("compared")
    }
    const evidence = { forgottenVersion: 0, nowMs: NOW, isSameBody: never }
    expect(judge(put("k"), undefined, { key: value(), ...evidence })).toBe("apply")
    expect(judge(quiet, { latest: 6 }, { key: value(), ...evidence })).toEqual(refused)
    expect(judge(put("k"), { version: 1 }, { key: value(), ...evidence })).toBe("apply")
  })
})
