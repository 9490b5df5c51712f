/** Where tests take longest, in this order: those that begin last should not be the ones that all others wait for. */
const FOLDERS = ["chaos", "crash", "sim", "package", "browser", "networks", "server", "logs"]

/** The order in which vitest runs the files of tests. */
export class LongestFirst {
  /**
   * @param {import("vitest/node").TestSpecification[]} files
   */
  sort(files) {
    return files.toSorted((one, other) => rankOf(one) - rankOf(other))
  }

  /**
   * @param {import("vitest/node").TestSpecification[]} files
   */
  shard(files) {
    return files
  }
}

/**
 * @param {import("vitest/node").TestSpecification} file
 */
function rankOf({ moduleId }) {
  const [, folder = ""] = /\/test\/(\w+)\//.exec(moduleId) ?? []
  const index = FOLDERS.indexOf(folder)
  return index === -1 ? FOLDERS.length : index
}
