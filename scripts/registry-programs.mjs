// Programs that come as packages of the npm registry, fetched when they are needed and kept in .cache/. They are no
// devDependencies, as most who work here never need them.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { npm, root, run } from "./processes.mjs"
import { Failure, progress } from "./progress.mjs"

/** Why they cannot be run on this machine, or undefined. */
export const registryProgramsUnavailable =
  process.platform === "linux" && process.arch === "x64"
    ? undefined
    : `they are fetched for Linux on x64 only, and this is ${process.platform} on ${process.arch}`

/**
 * The path of an executable file of a package, which is fetched when it is not there yet.
 * @param {{ name: string, package: string, version: string, folder: string, executable: string }} program `name` is for
 * people, `folder` is below .cache/, `executable` a path in the package
 */
export async function provideProgram({ name, package: packageName, version, folder, executable }) {
  const target = join(root, ".cache", folder, version)
  if (existsSync(join(target, executable))) return join(target, executable)
  await progress(`Fetching ${name} ${version}`, async () => {
    mkdirSync(dirname(target), { recursive: true })
    const temporary = mkdtempSync(join(dirname(target), "fetch-"))
    try {
      const spec = `${packageName}@${version}`
      const { ok, output } = await npm(["pack", spec, "--pack-destination", temporary, "--loglevel=error"])
      if (!ok) throw new Failure(`${name} ${version} could not be fetched:\n${output.trim()}`)
      const archive = readdirSync(temporary).find((file) => file.endsWith(".tgz")) ?? ""
      const unpacked = await run("tar", ["-xzf", join(temporary, archive), "-C", temporary], { quiet: true })
      if (!unpacked.ok) throw new Failure(`${name} ${version} could not be unpacked:\n${unpacked.output}`)
      // not every package has it set
      chmodSync(join(temporary, "package", executable), 0o755)
      rmSync(target, { recursive: true, force: true })
      renameSync(join(temporary, "package"), target)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  })
  return join(target, executable)
}
