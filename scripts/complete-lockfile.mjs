// Run after `npm install` when test/lockfile.test.ts asks for it.
//
// A registry mirror may lack the builds of a native package for platforms other than its users'. npm then leaves them
// out of package-lock.json without a word, and `npm ci` refuses the file. This adds the missing entries; they have no
// integrity hash, as there was nothing to hash, and npm only looks at them on the platform they are for.
import { readFileSync, writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const FILE = new URL("../package-lock.json", import.meta.url)

/**
 * @typedef {object} LockedPackage
 * @property {string} version
 * @property {boolean} [dev]
 * @property {string} [license]
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {Record<string, LockedPackage>} LockedPackages by path
 */

/**
 * The optional dependencies that have no entry.
 * @param {LockedPackages} packages
 */
export function missingFrom(packages) {
  return Object.entries(packages).flatMap(([path, owner]) =>
    Object.entries(owner.optionalDependencies ?? {})
      .filter(([name]) => !placesOf(path, name).some((place) => place in packages))
      .map(([name, version]) => ({ name, version, owner })),
  )
}

/**
 * Where Node would look for a dependency of the package at a path, innermost first.
 * @param {string} path
 * @param {string} name
 */
function placesOf(path, name) {
  const levels = path.split(/(?=\/node_modules\/)/)
  const folders = levels.map((_, index) => levels.slice(0, levels.length - index).join(""))
  return [
    ...folders.filter(Boolean).map((folder) => `${folder}/node_modules/${name}`),
    `node_modules/${name}`,
  ]
}

/**
 * Native packages carry their platform in their names.
 * @param {string} name
 */
function platformOf(name) {
  const os = /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)/.exec(name)?.[1]
  const cpu = /(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64|wasm32)/.exec(name)?.[1]
  if (os === undefined || cpu === undefined)
    throw new Error(`${name} does not tell its platform; add it by hand`)
  return { os: [os], cpu: [cpu], ...(name.includes("musl") && { libc: ["musl"] }) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const lock = JSON.parse(readFileSync(FILE, "utf8"))
  for (const { name, version, owner } of missingFrom(lock.packages)) {
    const { dev, license } = owner
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(dev && { dev }),
      ...(license && { license }),
      optional: true,
      ...platformOf(name),
    }
    console.log(`added ${name}@${version}`)
  }
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
}
