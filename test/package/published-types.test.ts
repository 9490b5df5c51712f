import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const entries = Object.entries(manifest.exports as Record<string, { readonly types: string }>)

/** What the types of an entry import from elsewhere, in whichever of our files. */
function importsOf(entry: string): Set<string> {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, target = ""] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"([^"]+)"/g)) {
      if (target.startsWith(".")) visit(join(dirname(file), target.replace(/\.tsx?$/, ".d.ts")))
      else packages.add(target)
    }
  }
  visit(join(root, entry))
  return packages
}

// Types that come with nothing that is installed anyway fail the build of everybody who does not skip checking libraries.
test.each(entries)("the types of %s need no types that the user would have to install", (name, { types }) => {
  const peer = name.slice(2)
  const known = ["@standard-schema/spec", ...(peer in manifest.peerDependencies ? [peer] : [])]
  const others = [...importsOf(types)].filter((target) => !target.startsWith("node:"))
  expect(others.filter((target) => !known.includes(target))).toEqual([])
})
