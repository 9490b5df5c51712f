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
  // MessagePack is its own entry: only who wants it pays for it
  expect(Object.keys(bundle.metafile.inputs).filter((file) => file.includes("msgpack"))).toEqual([])
})
