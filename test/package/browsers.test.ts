import { fileURLToPath } from "node:url"
import { build, transform } from "esbuild"
import { expect, test } from "vitest"
import { readPage } from "../docs/markdown.ts"

const rows = readPage("installing.md").sections.find(({ title }) => title === "Installing")?.rows ?? []

/** The oldest browsers that the page names, as esbuild calls them. */
const oldest = rows.flatMap(([browsers = "", version]) =>
  browsers
    .toLowerCase()
    .split(", ")
    .filter((name) => ["chrome", "edge", "firefox", "safari"].includes(name))
    .map((name) => `${name}${version}`),
)

/** What these browsers lack, and a bundler does not add. */
const TOO_NEW =
  /\b(?:AbortSignal\.any|Array\.fromAsync|Promise\.(?:withResolvers|try)|Object\.groupBy|toSorted|toReversed|toSpliced|findLast|isWellFormed|requestIdleCallback)\b/

test("the page names the oldest browsers", () => {
  expect(oldest.map((browser) => browser.replace(/[\d.]+/, ""))).toEqual([
    "chrome",
    "edge",
    "firefox",
    "safari",
  ])
})

test.each([
  "client/index.ts",
  "react/index.ts",
  "tabs/index.ts",
  "tabs/worker.ts",
  "outbox/index.ts",
  "protocol/msgpack.ts",
])("the oldest browsers understand the syntax of %s", async (entry) => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(`../../src/${entry}`, import.meta.url))],
    bundle: true,
    format: "esm",
    target: "esnext",
    // as the build leaves it, and nothing more
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
    external: ["react"],
    write: false,
  })
  const code = bundle.outputFiles[0]?.text ?? ""
  const compiledFor = async (target: string | string[]) => (await transform(code, { target })).code
  // where nothing has to be rewritten, everything is understood
  expect(await compiledFor(oldest)).toBe(await compiledFor("esnext"))
  expect(TOO_NEW.exec(code)?.[0]).toBeUndefined()
})

test("syntax that the oldest browsers lack is noticed", async () => {
  const code = "class A { static { this.b = 1 } }\n"
  expect((await transform(code, { target: oldest })).code).not.toBe(code)
})
