import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { expect, test } from "vitest"

const BYTES_MAX = 8 * 1024

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
