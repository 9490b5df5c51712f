import { existsSync, readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { describe, expect, test } from "vitest"
import { codeOf, type Import, importsOf } from "./support/imports.ts"

/**
 * Who may import whom. A key is a folder of src/, or a file in it without `.ts`; the longest that fits a file is its
 * row. A file may import its own layer, the rows' `layers`, and of `layerTypes` what is gone at runtime; the same with
 * packages. `node:*` stands for all names that begin so. What is not listed is not allowed.
 */
interface Row {
  /** The other parts of its own layer that it may import. Default: the whole layer. */
  readonly siblings?: readonly string[]
  readonly layers?: readonly string[]
  readonly layerTypes?: readonly string[]
  readonly packages?: readonly string[]
  readonly packageTypes?: readonly string[]
}

const LAYERS: Readonly<Record<string, Row>> = {
  contract: { packageTypes: ["@standard-schema/spec"] },
  protocol: { layers: ["contract"] },
  log: { layers: ["protocol"] },
  // hub.ts composes its rooms
  hub: { layers: ["log", "protocol", "contract"] },
  "hub/limits": { siblings: [] },
  "hub/ports": { layers: ["protocol"], siblings: [] },
  "hub/channel": { layers: ["log", "protocol", "contract"], siblings: ["hub/limits", "hub/ports"] },
  "hub/connection": {
    layers: ["log", "protocol"],
    siblings: ["hub/limits", "hub/ports", "hub/channel"],
  },
  "hub/publish": {
    layers: ["log", "protocol", "contract"],
    siblings: ["hub/limits", "hub/ports", "hub/channel"],
  },
  "hub/cluster": {
    layers: ["log", "protocol"],
    siblings: ["hub/limits", "hub/ports", "hub/channel", "hub/connection"],
  },
  "hub/presence": {
    layers: ["log", "protocol"],
    siblings: ["hub/limits", "hub/ports", "hub/channel", "hub/connection", "hub/publish", "hub/cluster"],
  },
  "hub/handlers": {
    layers: ["log", "protocol", "contract"],
    siblings: ["hub/limits", "hub/ports", "hub/channel", "hub/connection", "hub/publish", "hub/presence"],
  },
  "hub/api": {
    layers: ["log", "protocol", "contract"],
    siblings: ["hub/limits", "hub/ports", "hub/channel", "hub/publish", "hub/cluster"],
  },

  logs: { layers: ["log", "protocol"] },
  "logs/lmdb": { layers: ["log", "protocol"], packages: ["lmdb", "node:*"] },
  "logs/redis": { layers: ["log", "protocol"], packages: ["redis", "node:*"] },

  server: { layers: ["hub", "log", "protocol", "contract", "logs/memory"] },
  "server/http": { layers: ["hub", "protocol"], siblings: ["server/limits", "server/links"] },
  "server/websocket": {
    layers: ["hub", "protocol"],
    siblings: ["server/http/origin", "server/limits", "server/links"],
    packages: ["node:*", "ws"],
  },
  "server/raw": {
    layers: ["hub", "protocol"],
    siblings: ["server/websocket", "server/http/origin", "server/limits", "server/links"],
    packages: ["node:*"],
  },
  "server/node": { layers: ["hub", "log", "protocol", "contract", "logs/memory"], packages: ["node:*"] },

  client: { layers: ["protocol", "contract/pattern"], layerTypes: ["contract"] },
  outbox: { layerTypes: ["client"], layers: ["protocol"] },
  tabs: { layers: ["client", "protocol"] },
  react: { layerTypes: ["client", "contract"], layers: ["contract/pattern"], packages: ["react"] },

  testing: { layers: ["hub", "log", "client", "protocol", "contract", "logs/memory"] },
  cli: { packages: ["holdfast", "holdfast/*", "node:*"] },
}

/** Time and randomness enter these as arguments; that is what the simulation and the virtual clock stand on. */
const PURE = ["contract", "protocol", "log", "hub", "client", "server/http"]

/** The files that hand the real ones in, and so may touch them. */
const ADAPTERS: readonly string[] = ["src/client/device.ts", "src/client/http.ts", "src/client/platform.ts"]

const IMPURE =
  /(?<![\w$.#])(?:globalThis\s*\.\s*)?(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame|crypto|Math\s*\.\s*random|process\s*\.\s*(?:nextTick|hrtime|uptime))(?![\w$])/g

/** These prove that the package works: they come in by the public doors. */
const OUTSIDERS = ["examples", "bench", "chaos", "playground", "sim"]

/** Names of drawers. What is in a drawer has an owner, and belongs beside it. */
const DRAWERS = /^(utils?|helpers?|common|types|misc|shared|lib)$/

const FILE_LINES_MAX = 600

interface Repository {
  /** Path from the root, with slashes, to source. */
  readonly files: ReadonlyMap<string, string>
  /** The public names of the package and the source file behind each. */
  readonly publicNames: Readonly<Record<string, string>>
}

type Rule = (repository: Repository) => string[]

const RULES = {
  "imports go only down the table of layers": ({ files }) =>
    sourcesOf(files).flatMap(([file, source]) => {
      const row = rowOf(file)
      if (row === undefined) return [`${file} is in no layer of the table`]
      return importsOf(source)
        .filter((found) => !isAllowed(found, file, row))
        .map(
          ({ specifier, typeOnly }) =>
            `${file} must not import ${typeOnly ? "the types of " : ""}${specifier}`,
        )
    }),

  "every room of the hub has a row": ({ files }) =>
    sourcesOf(files)
      .map(([file]) => /^src\/(hub\/[^/]+)\//.exec(file)?.[1])
      .filter((room) => room !== undefined && !Object.hasOwn(LAYERS, room))
      .map((room) => `${room} is a folder of the hub and no row of the table`),

  "relative imports name a file that exists": ({ files }) =>
    sourcesOf(files).flatMap(([file, source]) =>
      importsOf(source)
        .filter(({ specifier }) => specifier.startsWith(".") && !files.has(resolve(file, specifier)))
        .map(({ specifier }) => `${file} imports ${specifier}, which is no file`),
    ),

  "no file imports itself by a detour, not even for types": ({ files }) =>
    cyclesOf(graphOf(files)).map((cycle) => cycle.join(" -> ")),

  "every file can be reached from a public name": ({ files, publicNames }) => {
    const reached = reachableFrom(Object.values(publicNames), graphOf(files))
    return sourcesOf(files)
      .filter(([file]) => !reached.has(file))
      .map(([file]) => `${file} is imported by nothing that is public`)
  },

  "no file or folder is a drawer": ({ files }) =>
    sourcesOf(files)
      .filter(([file]) => file.split("/").some((part) => DRAWERS.test(part.replace(/\.tsx?$/, ""))))
      .map(([file]) => `${file} says by its name only that its contents have no owner`),

  [`no file has more than ${FILE_LINES_MAX} lines`]: ({ files }) =>
    sourcesOf(files)
      .map(([file, source]) => ({ file, lines: source.split("\n").length - 1 }))
      .filter(({ lines }) => lines > FILE_LINES_MAX)
      .map(({ file, lines }) => `${file} has ${lines} lines`),

  "clock, timers and randomness stay out of the pure layers": ({ files }) =>
    sourcesOf(files)
      .filter(([file]) => PURE.some((key) => isWithin(file, key)) && !ADAPTERS.includes(file))
      .flatMap(([file, source]) =>
        [...codeOf(source).matchAll(IMPURE)].map((match) => `${file} uses ${match[1]?.replace(/\s/g, "")}`),
      ),

  "the adapters of the pure layers exist": ({ files }) =>
    ADAPTERS.filter((file) => !files.has(file)).map(
      (file) => `${file} is listed as an adapter and is no file`,
    ),

  "examples, benchmarks, chaos, the playground and the simulation use public names only": ({
    files,
    publicNames,
  }) =>
    [...files]
      .filter(([file]) => OUTSIDERS.some((folder) => file.startsWith(`${folder}/`)))
      .flatMap(([file, source]) =>
        importsOf(source)
          .filter(({ specifier }) => !isPublic(specifier, file, publicNames))
          .map(({ specifier }) => `${file} imports ${specifier}`),
      ),
} satisfies Record<string, Rule>

const rules = Object.entries<Rule>(RULES)

describe("this repository", () => {
  const repository = readRepository()

  test("has sources to check", () => {
    expect(sourcesOf(repository.files).length).toBeGreaterThan(5)
    expect(Object.keys(repository.publicNames)).toContain("holdfast/server")
  })

  test.each(rules)("%s", (_, rule) => {
    expect(rule(repository)).toEqual([])
  })
})

describe("the checker accepts", () => {
  const sound = planted({
    "src/contract/index.ts": `import type { StandardSchemaV1 } from "@standard-schema/spec"\nexport { a } from "./a.ts"`,
    "src/contract/a.ts": "export const a = 1 // not setTimeout, and no import('./b.ts')",
    "src/protocol/code.ts": `import { a } from "../contract/index.ts"\nexport const code = "Date" + a`,
    "src/log/log.ts": "export interface Log { readonly size: number }",
    "src/hub/hub.ts": `import type { Log } from "../log/log.ts"\nimport { code } from "../protocol/code.ts"`,
    "src/logs/memory/index.ts": `import type { Log } from "../../log/log.ts"`,
    "src/logs/lmdb/index.ts": `import { open } from "lmdb"\nimport type { Log } from "../../log/log.ts"`,
    "src/server/index.ts": `export * from "../hub/hub.ts"\nexport { memoryLog } from "../logs/memory/index.ts"
      export { createHub } from "./node/create-hub.ts"`,
    "src/server/links.ts": "",
    "src/server/http/origin.ts": `import type { Links } from "../links.ts"`,
    "src/server/websocket/acceptor.ts": `import { WebSocketServer } from "ws"\nimport "../http/origin.ts"`,
    "src/server/raw/socket.ts": `import { Buffer } from "node:buffer"\nimport "../websocket/acceptor.ts"`,
    "src/server/node/create-hub.ts": `import { Server } from "node:http"\nimport "../raw/socket.ts"
      setTimeout(() => Date.now(), 1)`,
    "src/client/index.ts": `import { code } from "../protocol/code.ts"\nexport type { A } from "../contract/index.ts"
      import { now } from "./platform.ts"\nimport "./device.ts"\nimport "./http.ts"`,
    "src/client/platform.ts": "export const now = () => Date.now()",
    "src/client/device.ts": "",
    "src/client/http.ts": "",
    "src/cli/main.ts": `import { createHub } from "holdfast/server"`,
    "bench/main.ts": `import { createHub } from "holdfast/server"\nimport { run } from "./run.ts"\nimport ws from "ws"`,
  })

  test.each(rules)("a sound repository: %s", (_, rule) => {
    expect(rule(sound)).toEqual([])
  })
})

describe("the checker catches", () => {
  const layers = RULES["imports go only down the table of layers"]

  test.each([
    ["contract, of anything", "src/contract/a.ts", `import { b } from "../protocol/b.ts"`],
    ["protocol, of the hub", "src/protocol/a.ts", `export * from "../hub/b.ts"`],
    ["the hub, of the server", "src/hub/a.ts", `import b from "../server/b.ts"`],
    ["the hub, of the server's types", "src/hub/a.ts", `import type { B } from "../server/b.ts"`],
    ["the hub, of Node", "src/hub/a.ts", `import { Buffer } from "node:buffer"`],
    ["the hub, of a log", "src/hub/a.ts", `const b = await import("../logs/b.ts")`],
    ["a port of the hub, of a room", "src/hub/ports/a.ts", `import type { B } from "../channel/b.ts"`],
    ["channels, of connections", "src/hub/channel/a.ts", `import type { B } from "../connection/b.ts"`],
    ["channels, of what publishes", "src/hub/channel/a.ts", `import { b } from "../publish/b.ts"`],
    ["connections, of handlers", "src/hub/connection/a.ts", `import { b } from "../handlers/b.ts"`],
    ["the cluster, of handlers", "src/hub/cluster/a.ts", `import { b } from "../handlers/b.ts"`],
    ["a room of the hub, of its root", "src/hub/handlers/a.ts", `import type { B } from "../hub.ts"`],
    ["a log, of the hub's values", "src/logs/a.ts", `import { b } from "../hub/b.ts"`],
    ["a log, of the hub's types", "src/logs/a.ts", `import type { B } from "../hub/b.ts"`],
    ["the port of logs, of the hub", "src/log/a.ts", `import type { B } from "../hub/b.ts"`],
    ["the memory log, of a package", "src/logs/memory/index.ts", `import { open } from "lmdb"`],
    [
      "the lmdb log, of somebody else's package",
      "src/logs/lmdb/index.ts",
      `import { createClient } from "redis"`,
    ],
    [
      "the server, of a log other than the default",
      "src/server/a.ts",
      `import { lmdbLog } from "../logs/lmdb.ts"`,
    ],
    ["the server, of the client", "src/server/a.ts", `import type { B } from "../client/b.ts"`],
    ["the server, of an unlisted package", "src/server/node/a.ts", `import express from "express"`],
    ["what all runtimes of the server share, of Node", "src/server/a.ts", `import "node:net"`],
    ["the server's HTTP, of Node", "src/server/http/a.ts", `import { Buffer } from "node:buffer"`],
    ["the server's HTTP, of Node's types", "src/server/http/a.ts", `import type { Server } from "node:http"`],
    ["the server's HTTP, of a runtime", "src/server/http/poll/a.ts", `import "../../node/clock.ts"`],
    ["the server's HTTP, of its WebSockets", "src/server/http/a.ts", `import "../websocket/link.ts"`],
    ["the server's WebSockets, of a runtime", "src/server/websocket/a.ts", `import "../node/clock.ts"`],
    ["a raw socket, of the library for WebSockets", "src/server/raw/a.ts", `import { WebSocket } from "ws"`],
    ["the client, of the hub", "src/client/a.ts", `export type { B } from "../hub/b.ts"`],
    ["the client, of the contract's values", "src/client/a.ts", `import { b } from "../contract/b.ts"`],
    ["the client, of a package", "src/client/a.ts", `import "ws"`],
    ["the protocol, of a package", "src/protocol/a.ts", `import { pack } from "msgpackr"`],
    ["react, of the protocol", "src/react/a.ts", `import { b } from "../protocol/b.ts"`],
    ["the test kit, of the server", "src/testing/a.ts", `import { b } from "../server/b.ts"`],
    ["the command line, of what is not public", "src/cli/a.ts", `import { b } from "../server/b.ts"`],
    ["a layer, of the package by its public name", "src/hub/a.ts", `import { b } from "holdfast/client"`],
    ["an import by a computed name", "src/hub/a.ts", "await import(name)"],
    ["a default beside names", "src/hub/a.ts", `import b, { c } from "../server/b.ts"`],
    ["a namespace", "src/hub/a.ts", `import * as b from "../server/b.ts"`],
    ["an export of a namespace", "src/hub/a.ts", `export * as b from "../server/b.ts"`],
    [
      "an import over several lines, after other code",
      "src/hub/a.ts",
      `f()\nimport {\n  b,\n} from "../server/b.ts"`,
    ],
    ["an import inside a template", "src/hub/a.ts", 'const b = `${await import("../server/b.ts")}`'],
    [
      "an import after what looks like a comment",
      "src/hub/a.ts",
      `f("//")\nf(/[/*]/)\nimport "../server/b.ts"`,
    ],
  ])("the import by %s", (_, file, source) => {
    expect(layers(planted({ [file]: source }))).toHaveLength(1)
  })

  test("a folder that is in no layer", () => {
    expect(layers(planted({ "src/extra/a.ts": "", "src/a.ts": "" }))).toHaveLength(2)
  })

  test("a room of the hub without a row", () => {
    const files = { "src/hub/attic/a.ts": "", "src/hub/channel/a.ts": "", "src/hub/hub.ts": "" }
    expect(RULES["every room of the hub has a row"](planted(files))).toHaveLength(1)
  })

  test("a cycle among the rooms of the hub", () => {
    const rows = {
      a: { siblings: ["b"] },
      b: { siblings: ["c"] },
      c: { siblings: ["a"] },
      d: { siblings: ["a"] },
    }
    expect(cyclesOf(roomsOf(rows))).toEqual([["a", "b", "c", "a"]])
    expect(cyclesOf(roomsOf(LAYERS))).toEqual([])
  })

  test("an import of what does not exist, or is not named in full", () => {
    const files = {
      "src/hub/a.ts": `import "./b.js"\nimport "./c"\nimport "./d.ts"`,
      "src/hub/d.ts": "",
      "src/hub/c.ts": "",
    }
    expect(RULES["relative imports name a file that exists"](planted(files))).toHaveLength(2)
  })

  test("a cycle, also one of types", () => {
    const files = {
      "src/hub/a.ts": `import { b } from "./b.ts"`,
      "src/hub/b.ts": `import { c } from "./c.ts"`,
      "src/hub/c.ts": `import type { A } from "./a.ts"`,
      "src/hub/d.ts": `import { a } from "./a.ts"`,
      "src/hub/self.ts": `import type { Self } from "./self.ts"`,
    }
    expect(RULES["no file imports itself by a detour, not even for types"](planted(files))).toEqual([
      "src/hub/a.ts -> src/hub/b.ts -> src/hub/c.ts -> src/hub/a.ts",
      "src/hub/self.ts -> src/hub/self.ts",
    ])
  })

  test("a file, and an island of files, that nothing public imports", () => {
    const files = {
      "src/server/index.ts": `import type { A } from "./a.ts"`,
      "src/server/a.ts": "",
      "src/server/alone.ts": "",
      "src/server/island.ts": `import "./beach.ts"`,
      "src/server/beach.ts": "",
    }
    expect(RULES["every file can be reached from a public name"](planted(files))).toHaveLength(3)
  })

  test("drawers", () => {
    const files = {
      "src/hub/utils.ts": "",
      "src/hub/types.ts": "",
      "src/hub/helpers/a.ts": "",
      "src/hub/common.ts": "",
    }
    expect(RULES["no file or folder is a drawer"](planted(files))).toHaveLength(4)
  })

  test("a file that is too long", () => {
    const files = {
      "src/hub/a.ts": "\n".repeat(FILE_LINES_MAX),
      "src/hub/b.ts": "\n".repeat(FILE_LINES_MAX + 1),
    }
    expect(RULES[`no file has more than ${FILE_LINES_MAX} lines`]?.(planted(files))).toEqual([
      `src/hub/b.ts has ${FILE_LINES_MAX + 1} lines`,
    ])
  })

  test.each([
    "Date.now()",
    "new Date()",
    "performance.now()",
    "setTimeout(f, 1)",
    "setInterval(f, 1)",
    "setImmediate(f)",
    "queueMicrotask(f)",
    "globalThis.setTimeout(f, 1)",
    "Math.random()",
    "Math\n  .random()",
    "crypto.randomUUID()",
    "const now = Date.now",
    "const text = `at ${Date.now()}`",
  ])("in a pure layer: %s", (source) => {
    const rule = RULES["clock, timers and randomness stay out of the pure layers"]
    for (const layer of PURE) expect(rule(planted({ [`src/${layer}/a.ts`]: source }))).toHaveLength(1)
    expect(rule(planted({ "src/server/a.ts": source }))).toEqual([])
  })

  test.each([
    "clock.Date",
    "this.crypto",
    `"Date.now()"`,
    "/Date/",
    "// setTimeout",
    "setTimeouts()",
    "myDate",
  ])("no impurity where there is none: %s", (source) => {
    const rule = RULES["clock, timers and randomness stay out of the pure layers"]
    expect(rule(planted({ "src/hub/a.ts": source }))).toEqual([])
  })

  test.each([
    ["examples/chat/server.ts", `import { createHub } from "../../src/server/index.ts"`],
    ["bench/main.ts", `import type { Hub } from "../src/hub/hub.ts"`],
    ["bench/main.ts", `await import("../dist/server/index.js")`],
    ["playground/page/main.ts", `import { connect } from "holdfast/client/index.js"`],
    ["playground/server.ts", `import { hub } from "holdfast/hub"`],
  ])("an outsider's back door: %s, %s", (file, source) => {
    const rule = RULES["examples, benchmarks, chaos, the playground and the simulation use public names only"]
    expect(rule(planted({ [file]: source }))).toHaveLength(1)
  })
})

function sourcesOf(files: Repository["files"]): [file: string, source: string][] {
  return [...files].filter(([file]) => file.startsWith("src/"))
}

function layerOf(file: string): string {
  return file.split("/")[1] ?? ""
}

function rowOf(file: string): Row | undefined {
  const key = keyOf(file)
  return key === undefined ? undefined : LAYERS[key]
}

/** The longest key of the table that fits a file. */
function keyOf(file: string): string | undefined {
  const keys = Object.keys(LAYERS).filter((key) => isWithin(file, key))
  return keys.sort((a, b) => b.length - a.length)[0]
}

/** Whether a file is, or lies in, what a key of the table names. */
function isWithin(file: string, key: string): boolean {
  return file.startsWith(`src/${key}/`) || file === `src/${key}.ts`
}

function isAllowed({ specifier, typeOnly }: Import, file: string, row: Row): boolean {
  if (!specifier.startsWith(".")) {
    const names = [...(row.packages ?? []), ...(typeOnly ? (row.packageTypes ?? []) : [])]
    return names.some((name) =>
      name.endsWith("*") ? specifier.startsWith(name.slice(0, -1)) : specifier === name,
    )
  }
  const target = resolve(file, specifier)
  const own = row.siblings === undefined ? [layerOf(file)] : [keyOf(file) ?? "", ...row.siblings]
  const keys = [...own, ...(row.layers ?? []), ...(typeOnly ? (row.layerTypes ?? []) : [])]
  return keys.some((key) => isWithin(target, key))
}

function isPublic(specifier: string, file: string, publicNames: Repository["publicNames"]): boolean {
  if (specifier.startsWith(".")) return !/^(src|dist)\//.test(resolve(file, specifier))
  return !/^holdfast(\/|$)/.test(specifier) || specifier in publicNames
}

function resolve(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier)
}

type Graph = ReadonlyMap<string, readonly string[]>

function graphOf(files: Repository["files"]): Graph {
  const relative = (file: string, source: string) =>
    importsOf(source).flatMap(({ specifier }) =>
      specifier.startsWith(".") ? [resolve(file, specifier)] : [],
    )
  return new Map(sourcesOf(files).map(([file, source]) => [file, relative(file, source)]))
}

function reachableFrom(roots: readonly string[], graph: Graph): ReadonlySet<string> {
  const reached = new Set(roots)
  // A set hands out what is added to it while it is walked.
  for (const file of reached) for (const target of graph.get(file) ?? []) reached.add(target)
  return reached
}

/** The arrows of the table between the parts of one layer. */
function roomsOf(rows: Readonly<Record<string, Row>>): Graph {
  return new Map(Object.entries(rows).map(([key, { siblings = [] }]) => [key, siblings]))
}

/** For each knot of the graph the cycles that a depth-first walk meets in it. */
function cyclesOf(graph: Graph): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) return void cycles.push([...trail.slice(trail.indexOf(file)), file])
    if (done.has(file)) return
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return cycles
}

function planted(files: Readonly<Record<string, string>>): Repository {
  return { files: new Map(Object.entries(files)), publicNames: PLANTED_NAMES }
}

const PLANTED_NAMES = {
  holdfast: "src/contract/index.ts",
  "holdfast/server": "src/server/index.ts",
  "holdfast/client": "src/client/index.ts",
  "holdfast/lmdb": "src/logs/lmdb/index.ts",
  "holdfast command": "src/cli/main.ts",
}

function readRepository(): Repository {
  const root = new URL("../", import.meta.url)
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    exports: Record<string, string | { default: string }>
    bin?: Record<string, string>
  }
  const doors = [
    ...Object.entries(manifest.exports).map(([name, door]) => [
      posix.join("holdfast", name),
      typeof door === "string" ? door : door.default,
    ]),
    ...Object.entries(manifest.bin ?? {}).map(([name, file]) => [`${name} command`, file]),
  ] as [name: string, file: string][]
  const sourceBehind = (file: string) => file.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts")

  const files = new Map<string, string>()
  for (const folder of ["src", ...OUTSIDERS]) {
    for (const file of filesIn(folder, root)) files.set(file, readFileSync(new URL(file, root), "utf8"))
  }
  return { files, publicNames: Object.fromEntries(doors.map(([name, file]) => [name, sourceBehind(file)])) }
}

function filesIn(folder: string, root: URL): string[] {
  if (!existsSync(new URL(folder, root))) return []
  return readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return /^(dist|node_modules|\..*)$/.test(entry.name) ? [] : filesIn(path, root)
    return /\.(ts|tsx|mts|js|mjs)$/.test(entry.name) ? [path] : []
  })
}
