import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, describe, expect, test } from "vitest"
import { clientFrame, FrameReader } from "../../bench/load/web-socket-frames.ts"
import { spreadOf } from "../../bench/report/statistics.ts"
import { program } from "../support/program.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "bench-"))
const contestants = ["holdfast-json", "holdfast-msgpack", "ws", "socket.io"]

afterAll(() => rmSync(folder, { recursive: true }))

/** Eight processes one after the other, which takes as long as the machine has other things to do. */
const PATIENCE_MS = 300_000

/** Runs a benchmark on the sources, so that it needs no build. */
function bench(...args: string[]): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, ["--import", "tsx", "bench/main.ts", ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") },
  })
}

interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

function expectSpread({ min, median, max }: Spread): void {
  expect(min).toBeGreaterThan(0)
  expect(median).toBeGreaterThanOrEqual(min)
  expect(max).toBeGreaterThanOrEqual(median)
}

describe("the benchmarks, small", () => {
  test(
    "fanout measures every contestant under both workloads, and writes it down",
    async () => {
      const out = join(folder, "fanout.json")
      const scale = ["--subscribers", "5", "--rounds", "1", "--seconds", "0.1"]
      const { stdout } = await bench("fanout", ...scale, "--out", out)
      const results = JSON.parse(readFileSync(out, "utf8"))
      expect(results).toMatchObject({
        benchmark: "fanout",
        date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        node: process.version,
        versions: { ws: expect.any(String), "socket.io": expect.any(String), holdfast: expect.any(String) },
        settings: { subscribers: 5, messageBytes: 128, rounds: 1 },
      })
      for (const workload of ["one at a time", "16 in one turn"]) {
        const rows = results.rows.filter((row: { workload: string }) => row.workload === workload)
        expect(rows.map((row: { contestant: string }) => row.contestant)).toEqual(contestants)
        for (const row of rows) {
          for (const figure of ["serverCpuUs", "loadCpuUs", "deliveriesPerSecond", "p50Ms", "p99Ms"]) {
            expectSpread(row[figure])
          }
        }
        expect(stdout).toContain(workload)
      }
    },
    PATIENCE_MS,
  )

  test(
    "memory measures every contestant",
    async () => {
      const out = join(folder, "memory.json")
      await bench("memory", "--connections", "200", "--rounds", "1", "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      expect(rows.map((row: { contestant: string }) => row.contestant)).toEqual(contestants)
      for (const row of rows) expectSpread(row.heapBytes)
    },
    PATIENCE_MS,
  )

  test(
    "log measures every log under load, alone, and while it is opened",
    async () => {
      const out = join(folder, "log.json")
      const scale = [
        "--appends",
        "200",
        "--publishers",
        "20",
        "--channels",
        "3",
        "--entries",
        "300",
        "--rounds",
        "1",
      ]
      await bench("log", ...scale, "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      const logs = ["memory", "lmdb", "lmdb, sync"]
      expect(rows.map((row: { log?: string }) => row.log)).toEqual([...logs, ...logs, undefined])
      for (const row of rows.slice(0, 3)) expectSpread(row.appendsPerSecond)
      for (const row of rows.slice(3, 6)) expectSpread(row.p99Ms)
      expectSpread(rows[6].openMs)
    },
    PATIENCE_MS,
  )

  test(
    "recovery measures both logs, and fails unless every client is given all that it missed",
    async () => {
      const out = join(folder, "recovery.json")
      const scale = ["--clients", "20", "--behind", "30", "--rounds", "1", "--seconds", "0.1"]
      await bench("recovery", ...scale, "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      expect(rows.map((row: { log: string }) => row.log)).toEqual(["memory", "lmdb"])
      for (const row of rows) {
        for (const figure of ["reconnectMs", "catchUpEntriesPerSecond", "liveReconnectingP99Ms"]) {
          expectSpread(row[figure])
        }
      }
    },
    PATIENCE_MS,
  )

  test(
    "transports measures each of them, and fails unless every message comes",
    async () => {
      const out = join(folder, "transports.json")
      await bench("transports", "--clients", "20", "--rounds", "1", "--seconds", "1", "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      expect(rows.map((row: { transport: string }) => row.transport)).toEqual(["websocket", "sse", "poll"])
      for (const { cpuUs, p99Ms } of rows) for (const figure of [cpuUs, p99Ms]) expectSpread(figure)
    },
    PATIENCE_MS,
  )

  test(
    "stalled measures every server, and what the stalled one is given in the end",
    async () => {
      const out = join(folder, "stalled.json")
      await bench("stalled", "--messages", "320", "--rounds", "1", "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      const servers = ["holdfast-memory", "holdfast-lmdb", "ws", "socket.io"]
      expect(rows.map((row: { server: string }) => row.server)).toEqual(servers)
      for (const { wokenMessages, wokenGap, oneStalledP99Ms } of rows) {
        expect([wokenMessages.median, wokenGap.median]).toEqual([320, 0])
        expectSpread(oneStalledP99Ms)
      }
    },
    PATIENCE_MS,
  )

  test.skipIf(program("redis-server") === undefined)(
    "cluster measures every contender with one and two nodes, and fails unless all is delivered",
    async () => {
      const out = join(folder, "cluster.json")
      await bench("cluster", "--subscribers", "10", "--rounds", "1", "--seconds", "0.1", "--out", out)
      const { rows } = JSON.parse(readFileSync(out, "utf8"))
      const contenders = ["socket.io", "holdfast-json", "holdfast-msgpack"]
      for (const workload of ["one at a time", "16 in one turn", "half of what it carries"]) {
        const measured = rows.filter((row: { workload: string }) => row.workload === workload)
        expect(measured.map((row: { nodes: number }) => row.nodes)).toEqual([1, 1, 1, 2, 2, 2])
        expect(measured.map((row: { contestant: string }) => row.contestant)).toEqual([
          ...contenders,
          ...contenders,
        ])
        for (const row of measured) {
          for (const figure of ["nodesCpuUs", "engineCpuUs", "deliveriesPerSecond", "p99Ms"]) {
            expectSpread(row[figure])
          }
        }
      }
    },
    PATIENCE_MS,
  )

  test("an unknown benchmark and an unknown contestant are refused with what there is", async () => {
    await expect(bench("fan")).rejects.toMatchObject({ stderr: expect.stringContaining("fanout, memory") })
    await expect(bench("fanout", "--only", "sockjs")).rejects.toMatchObject({
      stderr: expect.stringContaining(contestants.join(", ")),
    })
  })
})

describe("the load's count of messages", () => {
  /** A server's frame: what a client would send, without its mask. */
  const serverFrame = (payload: string) => {
    const frame = clientFrame(payload)
    const lengthBytes = payload.length < 126 ? 2 : 4
    frame[1] = (frame[1] as number) & 0x7f
    return Buffer.concat([frame.subarray(0, lengthBytes), frame.subarray(lengthBytes + 4)])
  }
  const message = serverFrame("m".repeat(128))
  const ping = serverFrame("ping")
  const stream = Buffer.concat([message, ping, message, message, ping, message])

  test.each([1, 2, 3, 5, 131, 132, 133, 200, stream.byteLength])("is the same in chunks of %d", (size) => {
    let messages = 0
    const short: string[] = []
    const reader = new FrameReader({
      handleMessages: (count) => {
        messages += count
      },
      handleShortFrame: (payload) => short.push(payload.toString()),
    })
    reader.countedBytesMin = 128
    for (let at = 0; at < stream.byteLength; at += size) reader.read(stream.subarray(at, at + size))
    expect(messages).toBe(4)
    expect(short).toEqual(["ping", "ping"])
  })

  test("refuses a frame whose end it could not tell", () => {
    const reader = new FrameReader({ handleMessages: () => undefined, handleShortFrame: () => undefined })
    expect(() => reader.read(Buffer.from([0x01, 0x01, 0x41]))).toThrow("cannot be counted")
  })
})

test("the middle of an even number of measurements lies between the two in the middle", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
})
