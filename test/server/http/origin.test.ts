import { describe, expect, test } from "vitest"
import { createOriginCheck, type Origins, originRefusal } from "../../../src/server/http/origin.ts"
import { recordingLogger } from "../support/hubs.ts"

function allows(origins: Origins, origin: string | undefined, host = "example.com"): boolean {
  return originRefusal({ origin, host }, origins) === undefined
}

describe("by default", () => {
  test("a request without Origin is let in: no web page sent it", () => {
    expect(allows("same-host", undefined)).toBe(true)
  })

  test("a page of the same host is let in", () => {
    expect(allows("same-host", "https://example.com")).toBe(true)
    expect(allows("same-host", "http://example.com:8080", "example.com:8080")).toBe(true)
    expect(allows("same-host", "https://example.com", "example.com:443")).toBe(true)
    expect(allows("same-host", "https://example.com", "EXAMPLE.com")).toBe(true)
  })

  test("a page of another host, port or of no host is not", () => {
    expect(allows("same-host", "https://evil.com")).toBe(false)
    expect(allows("same-host", "https://example.com.evil.com")).toBe(false)
    expect(allows("same-host", "https://example.com:8443")).toBe(false)
    expect(allows("same-host", "null")).toBe(false)
    expect(allows("same-host", "not a url")).toBe(false)
  })

  test("on loopback the port makes no difference, as with a development server", () => {
    expect(allows("same-host", "http://localhost:5173", "localhost:8080")).toBe(true)
    expect(allows("same-host", "http://localhost:5173", "127.0.0.1:8080")).toBe(true)
    expect(allows("same-host", "http://[::1]:5173", "localhost:8080")).toBe(true)
    expect(allows("same-host", "http://localhost:5173", "example.com")).toBe(false)
    expect(allows("same-host", "http://127.0.0.1.evil.com", "localhost:8080")).toBe(false)
  })
})

test("a list lets in exactly what it names", () => {
  expect(allows(["https://app.example.com"], "https://app.example.com")).toBe(true)
  expect(allows(["https://app.example.com"], "https://example.com")).toBe(false)
  expect(allows(["https://app.example.com"], undefined)).toBe(true)
})

test('"any" lets everybody in', () => {
  expect(allows("any", "https://evil.com")).toBe(true)
})

test("the refusal names the origin, on one line, whatever it holds", () => {
  const refusal = originRefusal({ origin: `x"\u0001${"y".repeat(1000)}`, host: "h" }, "same-host")
  expect(refusal).toContain('"x\\"\\u0001y')
  expect(refusal?.length).toBeLessThan(400)
})

test("the log is told of each origin once", () => {
  const logger = recordingLogger()
  const check = createOriginCheck("same-host", logger)
  const ask = (origin: string) => check({ origin, host: "h" })
  for (const origin of ["http://a", "http://b", "http://a", "http://h"]) ask(origin)
  expect(logger.lines.map(({ fields }) => fields.origin)).toEqual(["http://a", "http://b"])
  for (let count = 0; count < 1000; count++) ask(`http://flood-${count}`)
  expect(logger.lines).toHaveLength(100)
})
