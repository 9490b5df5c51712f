import { expect, test } from "vitest"
import { run } from "../../sim/run.ts"

test("one seed is one run, to the last message", async () => {
  for (const seed of [1, 2, 3]) expect(await run({ seed })).toEqual(await run({ seed }))
})

test("the same seed has the same trace, line by line", async () => {
  const trace = async () => {
    const lines: string[] = []
    await run({ seed: 7, print: (line) => lines.push(line) })
    return lines
  }
  const lines = await trace()
  expect(lines.length).toBeGreaterThan(100)
  expect(await trace()).toEqual(lines)
})

test("other seeds are other runs", async () => {
  const outcomes = await Promise.all([1, 2, 3, 4, 5].map((seed) => run({ seed })))
  expect(new Set(outcomes.map(({ hash }) => hash)).size).toBe(outcomes.length)
})

test("runs beside each other do not change each other", async () => {
  const alone = await run({ seed: 4 })
  const [beside] = await Promise.all([run({ seed: 4 }), run({ seed: 5 })])
  expect(beside).toEqual(alone)
})
