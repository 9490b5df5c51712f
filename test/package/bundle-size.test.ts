import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { expect, test } from "vitest"

const BYTES_MAX = 13 * 1024

test(`holdfast/client takes at most ${BYTES_MAX} bytes: bundled, minified, gzipped`, async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("../../src/client/index.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
  })
  const code = bundle.outputFiles[0]?.contents ?? new Uint8Array()
  const bytes = gzipSync(code, { level: 9 }).byteLength
  console.log(`holdfast/client: ${bytes} bytes gzipped, ${code.byteLength} minified`)
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
  // these are entries of their own: only who wants them pays for them
  const inputs = Object.keys(bundle.metafile.inputs)
  expect(inputs.filter((file) => file.includes("msgpack") || file.includes("src/outbox"))).toEqual([])
})

const REACT_BYTES_MAX = 4 * 1024

test(`holdfast/react takes at most ${REACT_BYTES_MAX} bytes, beside React and the client`, async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("../../src/react/index.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["react"],
    write: false,
    metafile: true,
  })
  const code = bundle.outputFiles[0]?.contents ?? new Uint8Array()
  const bytes = gzipSync(code, { level: 9 }).byteLength
  console.log(`holdfast/react: ${bytes} bytes gzipped, ${code.byteLength} minified`)
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThanOrEqual(REACT_BYTES_MAX)
  // the user's own client is what it works on, so that there is one in the bundle, and none where it is loaded later
  expect(Object.keys(bundle.metafile.inputs).filter((file) => file.includes("src/client"))).toEqual([])
})
