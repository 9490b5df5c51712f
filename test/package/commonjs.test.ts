import { execFile } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { provideProgram, registryProgramsUnavailable } from "../../scripts/registry-programs.mjs"
import { createProject, packPackage, root } from "./support/packed-package.ts"

const run = promisify(execFile)

test("a CommonJS program requires every entry", async () => {
  const { stdout, stderr } = await run(process.execPath, [join(root, "test/smoke.cjs")])
  expect(stdout).toBe(`holdfast can be required on Node ${process.versions.node}\n`)
  expect(stderr).toBe("")
})

const SERVER = `
import { channel, contract, type Schema } from "holdfast"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import { sharedTabs } from "holdfast/tabs"
import { serveTabs } from "holdfast/tabs/worker"
declare const text: Schema<string>
const app = contract({ news: channel({ events: { said: text } }) })
const hub = createHub(app, { channels: { news: { events: { said: ({ data }) => data.trim() } } } })
const client = connect<typeof app>("ws://localhost", { transport: sharedTabs() })
export const read = () => client.channel("news").on("said", (data) => data.length)
export { hub, serveTabs }
`
const RUN = `
import { channel, contract } from "holdfast"
import { createHub } from "holdfast/server"
const hub = createHub(contract({ news: channel({}) }), {})
hub.close().then(() => console.log("closed"))
`

/** The oldest TypeScript that the README names. */
const TYPESCRIPT = {
  name: "TypeScript",
  package: "typescript",
  version: "5.7.3",
  folder: "typescript",
  executable: "bin/tsc",
}

describe.skipIf(registryProgramsUnavailable !== undefined)("TypeScript 5.7 in a CommonJS project", () => {
  let packed: Awaited<ReturnType<typeof packPackage>>
  let project: ReturnType<typeof createProject>
  let compiler: string

  beforeAll(async () => {
    compiler = await provideProgram(TYPESCRIPT)
    packed = await packPackage()
    project = createProject(packed.tarball, { "server.ts": SERVER, "run.ts": RUN })
  })
  afterAll(() => {
    project.remove()
    packed.remove()
  })

  /** What the compiler prints, without `skipLibCheck`. */
  async function compile(options: Readonly<Record<string, unknown>>): Promise<string> {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: "es2022",
      lib: ["es2022", "dom", "dom.iterable"],
      types: ["node"],
      ...options,
    }
    writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions }))
    try {
      await run(process.execPath, [compiler, "-p", project.folder])
      return ""
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }

  test("compiles with moduleResolution node10, and its output runs", async () => {
    expect(await compile({ module: "commonjs", moduleResolution: "node10" })).toBe("")
    const { stdout } = await run(process.execPath, [join(project.folder, "run.js")])
    expect(stdout).toBe("closed\n")
  })

  test("compiles with moduleResolution bundler", async () => {
    expect(await compile({ module: "preserve", moduleResolution: "bundler", noEmit: true })).toBe("")
  })

  test.each(["node16", "nodenext"])("with module %s, the compiler says what is needed", async (module) => {
    const output = await compile({ module, noEmit: true })
    expect(output).toContain("error TS1479")
    expect(output).toContain(`add the field \`"type": "module"\``)
  })

  test.each(["node16", "nodenext"])("compiles with module %s in a project of ES modules", async (module) => {
    const manifest = join(project.folder, "package.json")
    writeFileSync(manifest, JSON.stringify({ name: "project", version: "1.0.0", type: "module" }))
    expect(await compile({ module, noEmit: true })).toBe("")
    writeFileSync(manifest, JSON.stringify({ name: "project", version: "1.0.0" }))
  })
})
