import { expect, test } from "vitest"
import { nodeEntropy } from "../../../src/server/node/entropy.ts"

test("a unique id has 22 characters that need no escaping, and is another each time", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => nodeEntropy.uniqueId()))
  expect(ids.size).toBe(1000)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
})

test("a digest is the same for the same text or bytes, and has 22 characters", () => {
  const digest = nodeEntropy.digest("secret")
  expect(digest).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(nodeEntropy.digest(Buffer.from("secret"))).toBe(digest)
  expect(nodeEntropy.digest("secreu")).not.toBe(digest)
})
