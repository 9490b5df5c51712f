import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { expect, test } from "vitest"

const BYTES_MAX = 6 * 1024

/** How many bytes these entries take together: bundled, minified, gzipped. */
async function bytesOf(...entries: readonly string[]) {
  const bundle = await build({
    stdin: {
      contents: entries.map((entry) => `export * from "./${entry}/index.ts"`).join("\n"),
      resolveDir: fileURLToPath(new URL("../../src/", import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  })
  return gzipSync(bundle.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).byteLength
}

test(`holdfast/tabs adds at most ${BYTES_MAX} bytes to the client`, async () => {
  const bytes = (await bytesOf("client", "tabs")) - (await bytesOf("client"))
  console.log(`holdfast/tabs: ${bytes} bytes gzipped, beside the client`)
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
})
