import { describe, expect, test } from "vitest"
import { argumentsFor, HELP, readOptions, UsageError } from "../../sim/options.ts"

describe("what npm run sim is asked for", () => {
  test("is a hundred seeds unless told otherwise, one process per core", () => {
    expect(readOptions([])).toMatchObject({ from: 1, seeds: 100, trace: false, bug: undefined })
    expect(readOptions(["--seeds", "7", "--from", "5", "--jobs", "3"])).toMatchObject({
      from: 5,
      seeds: 7,
      jobs: 3,
    })
  })

  test("is one seed with its trace, or help", () => {
    expect(readOptions(["--seed", "42"])).toMatchObject({ from: 42, seeds: 1, trace: true, wire: false })
    expect(readOptions(["--seed", "42", "--wire"])).toMatchObject({ trace: true, wire: true })
    expect(readOptions(["--help"])).toBeUndefined()
    expect(readOptions(["-h"])).toBeUndefined()
  })

  test.each([
    [["--seeds", "many"], '--seeds wants a whole number from 1, not "many"'],
    [["--seeds", "0"], "--seeds wants"],
    [["--seed", "-1"], "--seed"],
    [["--seed", "1.5"], "--seed wants a whole number"],
    [["--nodes", "1000"], "--nodes wants a whole number from 1 to 20"],
    [["--seed", "1", "--seeds", "5"], "give one or the others"],
    [["--bug", "nothing"], '"nothing" is no injected bug; there are: skips-the-dedupe'],
    [["--colour"], "--help tells what there is"],
    [["12"], "--help tells what there is"],
  ])("%j is refused, and says why", (args, text) => {
    expect(() => readOptions(args)).toThrow(UsageError)
    expect(() => readOptions(args)).toThrow(text)
  })

  test("is told again for one seed", () => {
    const args = ["--bug", "swallows-a-gap", "--nodes", "2", "--seconds", "9"]
    const options = readOptions(["--seeds", "9", ...args])
    expect(argumentsFor(3, options as NonNullable<typeof options>)).toBe(`--seed 3 ${args.join(" ")}`)
    expect(HELP).toContain("swallows-a-gap")
  })
})
