import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { readPage } from "./markdown.ts"

/** Figures of the latest full run, by the median of each. */
interface Row {
  readonly workload?: string
  readonly connections?: number
  readonly contestant: string
  readonly [figure: string]: unknown
}

const names = {
  "holdfast-json": "Holdfast, JSON",
  "holdfast-msgpack": "Holdfast, MessagePack",
  ws: "ws, send in a loop",
  "socket.io": "Socket.IO, io.emit",
} as Record<string, string>

const resultsOf = (name: string): Row[] =>
  JSON.parse(readFileSync(new URL(`../../bench/results/${name}.json`, import.meta.url), "utf8")).rows
const median = (row: Row, figure: string) => (row[figure] as { median: number }).median
const shown = (figure: number) => figure.toLocaleString("en", { maximumFractionDigits: 3 })

/** The tables under "Latest results", each a header and its rows. */
function tables(): string[][][] {
  const rows = readPage("benchmarks.md").sections.find(({ title }) => title === "Latest results")?.rows ?? []
  const found: string[][][] = []
  for (const row of rows) {
    if (row.some((cell) => /^(CPU µs|1,000 connections)/.test(cell))) found.push([])
    found.at(-1)?.push(row)
  }
  return found
}

test("the figures of the fan-out are those of the latest run", () => {
  const results = resultsOf("fanout")
  for (const [index, workload] of ["one at a time", "16 in one turn"].entries()) {
    const expected = results
      .filter((row) => row.workload === workload)
      .map((row) => [
        names[row.contestant],
        shown(median(row, "serverCpuUs")),
        ...["deliveriesPerSecond", "p50Ms", "p99Ms"].map((figure) => shown(median(row, figure))),
      ])
    const rows = tables()
      [index]?.slice(1)
      .map(([name, cpu, , , ...rest]) => [name, cpu, ...rest])
    expect(expected.length).toBe(4)
    expect(rows).toEqual(expected)
  }
})

test("the figures of the memory are those of the latest run", () => {
  const results = resultsOf("memory")
  const kB = (contestant: string, connections: number) => {
    const row = results.find((each) => each.contestant === contestant && each.connections === connections)
    return row && shown(median(row, "rssBytes") / 1_000)
  }
  const expected = Object.entries(names).map(([id, name]) => [name, kB(id, 1_000), kB(id, 10_000)])
  expect(
    tables()[2]
      ?.slice(1, 5)
      .map((cells) => cells.slice(0, 3)),
  ).toEqual(expected)
})
