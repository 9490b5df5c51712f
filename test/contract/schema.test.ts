import { runInNewContext } from "node:vm"
import * as v from "valibot"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { isSchema, type Schema, validate } from "../../src/contract/schema.ts"

const libraries: readonly (readonly [string, Schema])[] = [
  ["zod", z.object({ items: z.array(z.object({ price: z.number() })), at: z.optional(z.number()) })],
  ["valibot", v.object({ items: v.array(v.object({ price: v.number() })), at: v.optional(v.number()) })],
]

/** A schema of no library, with whatever `answer` gives. */
const schemaWith = (answer: () => unknown): Schema => ({
  "~standard": { version: 1, vendor: "test", validate: answer as Schema["~standard"]["validate"] },
})

describe.each(libraries)("validation with %s", (_library, schema) => {
  test("answers at once with the value", () => {
    expect(validate(schema, { items: [{ price: 1 }] })).toEqual({
      ok: true,
      value: { items: [{ price: 1 }] },
    })
  })

  test("answers with a dotted path for what is wrong", () => {
    const result = validate(schema, { items: [{ price: 1 }, { price: "2" }] })
    expect(result).toMatchObject({ ok: false, issues: [{ path: "items.1.price" }] })
  })

  test("answers with an empty path when the whole value is wrong", () => {
    expect(validate(schema, "text")).toMatchObject({ ok: false, issues: [{ path: "" }] })
  })

  test.each([null, undefined, 0, "", [], new Uint8Array(2), JSON.parse('{"__proto__":{"items":[]}}')])(
    "refuses %j without throwing",
    (value) => {
      expect(validate(schema, value)).toMatchObject({ ok: false })
    },
  )

  test("does not let a payload set a prototype", () => {
    const payload = JSON.parse('{"items":[],"__proto__":{"polluted":true}}')
    const result = validate(schema, payload)
    expect(result).toMatchObject({ ok: true })
    expect((result as { value: Record<string, unknown> }).value.polluted).toBeUndefined()
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe("validation", () => {
  test("gives what the schema makes of the value", () => {
    expect(validate(z.string().transform((text) => text.length) as Schema, "four")).toEqual({
      ok: true,
      value: 4,
    })
    expect(validate(v.pipe(v.string(), v.trim()), " x ")).toEqual({ ok: true, value: "x" })
  })

  test("waits for a schema that is asynchronous", async () => {
    const schema = z.string().refine(async (text) => text !== "taken")
    expect(await validate(schema, "free")).toEqual({ ok: true, value: "free" })
    expect(await validate(schema, "taken")).toMatchObject({ ok: false })
  })

  test("waits for the promise of another realm too, instead of taking it for a success", async () => {
    const answer = runInNewContext('Promise.resolve({ issues: [{ message: "no" }] })')
    expect(answer).not.toBeInstanceOf(Promise)
    const result = validate(
      schemaWith(() => answer),
      1,
    )
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toEqual({ ok: false, issues: [{ path: "", message: "no" }] })
  })

  test("reads both forms of a path that Standard Schema allows", () => {
    const path = ["items", { key: 3 }, { key: Symbol("s") }]
    const result = validate(
      schemaWith(() => ({ issues: [{ message: "no", path }] })),
      1,
    )
    expect(result).toEqual({ ok: false, issues: [{ path: "items.3.Symbol(s)", message: "no" }] })
  })
})

describe("a schema is recognized", () => {
  test("as an object or as a function", () => {
    expect(isSchema(z.string())).toBe(true)
    expect(isSchema(v.string())).toBe(true)
    expect(
      isSchema(
        Object.assign(
          () => true,
          schemaWith(() => ({ value: 1 })),
        ),
      ),
    ).toBe(true)
  })

  test.each([
    null,
    undefined,
    1,
    "~standard",
    {},
    [],
    () => true,
    { "~standard": true },
    { "~standard": {} },
  ])("and %j is none", (value) => {
    expect(isSchema(value)).toBe(false)
  })
})
