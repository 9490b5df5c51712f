// Builds what is stale: the library (src/ to dist/, by tsc) and the playground (by esbuild). `npm run build`.
import "./node-version.mjs"
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { fillExcerpts } from "./excerpts.mjs"
import { filesUnder, fingerprint, stamp } from "./fingerprint.mjs"
import { install } from "./install.mjs"
import { node, root } from "./processes.mjs"
import { Failure, progress, script } from "./progress.mjs"

const TOOLCHAIN = ["package.json", "package-lock.json", "scripts/build.mjs", "scripts/excerpts.mjs"]

/** Brings dist/ and playground/dist/ up to date. Takes some milliseconds when nothing changed. */
export async function build() {
  await buildLibrary()
  await buildPlayground()
}

async function buildLibrary() {
  const sources = filesUnder(["src"])
  if (sources.length === 0) return
  // what a module reads at run time lies beside it
  const assets = sources.filter((file) => file.endsWith(".lua"))
  const outputs = sources.map((file) => file.replace(/^src/, "dist").replace(/\.ts(x?)$/, ".js"))
  const inputs = [...sources, ...TOOLCHAIN, "tsconfig.base.json", "tsconfig.build.json"]
  await whenStale("library", inputs, outputs, "Building the library (tsc)", async () => {
    // Into a folder of its own, which then takes the place of dist/: nobody who reads dist/ meanwhile, and no failed
    // build, ever sees half a library. It lies beside dist/ so that the paths in the source maps are right.
    const fresh = `.dist-${process.pid}`
    const { ok, output } = await node(
      "node_modules/typescript/bin/tsc",
      ["-p", "tsconfig.build.json", "--outDir", fresh],
      {
        quiet: true,
      },
    )
    if (!ok) {
      rmSync(join(root, fresh), { recursive: true, force: true })
      throw new Failure(`${output.trim()}\n\nThe library does not compile.`)
    }
    for (const file of assets) {
      const target = join(root, file.replace(/^src/, fresh))
      mkdirSync(join(target, ".."), { recursive: true })
      cpSync(join(root, file), target)
    }
    replaceFolder(fresh, "dist")
  })
}

async function buildPlayground() {
  if (!existsSync(join(root, "playground/server.ts"))) return
  const inputs = [...filesUnder(["playground", "src"]), ...TOOLCHAIN]
  const outputs = [
    "playground/dist/server.js",
    "playground/dist/page/index.html",
    "playground/dist/page/main.js",
  ]
  await whenStale("playground", inputs, outputs, "Building the playground (esbuild)", async () => {
    const esbuild = await import("esbuild")
    const fresh = `playground/.dist-${process.pid}`
    // An empty tsconfig: the one of the repository maps the public names to the sources, and the playground is to
    // run on what is published.
    const common = /** @type {const} */ ({
      absWorkingDir: root,
      bundle: true,
      format: "esm",
      sourcemap: true,
      logLevel: "silent",
      tsconfigRaw: {},
    })
    try {
      await esbuild.build({
        ...common,
        entryPoints: ["playground/server.ts"],
        outfile: `${fresh}/server.js`,
        platform: "node",
        target: "node20",
        packages: "external",
      })
      await esbuild.build({
        ...common,
        entryPoints: ["playground/page/main.ts", ...linkedStyles()],
        outdir: `${fresh}/page`,
        platform: "browser",
        target: "es2022",
        minify: true,
        loader: { ".svg": "file", ".png": "file", ".woff2": "file" },
      })
      writePage(fresh)
    } catch (error) {
      rmSync(join(root, fresh), { recursive: true, force: true })
      if (!(error instanceof Error && "errors" in error)) throw error
      const errors = /** @type {import("esbuild").BuildFailure} */ (error).errors
      const texts = await esbuild.formatMessages(errors, { kind: "error", color: process.stdout.isTTY })
      throw new Failure(`${texts.join("").trim()}\n\nThe playground cannot be bundled.`)
    }
    replaceFolder(fresh, "playground/dist")
  })
}

/** The style sheets that the page links by itself; one that a script imports is bundled into main.css anyway. */
function linkedStyles() {
  const html = readFileSync(join(root, "playground/page/index.html"), "utf8")
  return [...html.matchAll(/<link[^>]*href="(?:\.?\/)?([^":]+\.css)"/g)].map(
    (match) => `playground/page/${match[1]}`,
  )
}

/**
 * Copies index.html, pointed at the bundles, and whatever else lies beside it.
 * @param {string} folder
 */
function writePage(folder) {
  const source = readFileSync(join(root, "playground/page/index.html"), "utf8")
  const html = fillExcerpts(source, (file) => readFileSync(join(root, "playground", file), "utf8")).replace(
    /(src="[^"]*)\.ts"/g,
    '$1.js"',
  )
  const hasImportedStyles =
    existsSync(join(root, folder, "page/main.css")) && !/href="[^"]*main\.css"/.test(html)
  const styles = hasImportedStyles ? '<link rel="stylesheet" href="./main.css">\n' : ""
  writeFileSync(join(root, folder, "page/index.html"), html.replace("</head>", `${styles}</head>`))
  for (const file of filesUnder(["playground/page"])) {
    if (/\.(ts|tsx|css|html)$/.test(file)) continue
    const target = join(root, folder, file.replace(/^playground\//, ""))
    mkdirSync(join(target, ".."), { recursive: true })
    cpSync(join(root, file), target)
  }
}

/**
 * @param {string} step
 * @param {readonly string[]} inputs
 * @param {readonly string[]} outputs
 * @param {string} title
 * @param {() => Promise<void>} work
 */
async function whenStale(step, inputs, outputs, title, work) {
  const made = stamp(step)
  const from = fingerprint(inputs)
  if (made.read() === from && outputs.every((file) => existsSync(join(root, file)))) return
  made.clear()
  await progress(title, work)
  made.write(from)
}

/**
 * Puts a folder in the place of another. Another build may be doing the same at this moment; both made the same.
 * @param {string} fresh
 * @param {string} target
 */
function replaceFolder(fresh, target) {
  const old = join(root, `${fresh}-old`)
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(join(root, target))) renameSync(join(root, target), old)
      renameSync(join(root, fresh), join(root, target))
      break
    } catch (error) {
      if (attempt === 10) throw error
    } finally {
      rmSync(old, { recursive: true, force: true })
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await script(async () => {
    await install()
    await build()
  })
}
