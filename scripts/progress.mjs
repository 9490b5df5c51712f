/** An error that is told to the user as it is, without a stack. */
export class Failure extends Error {}

/**
 * Says what is being done, does it, and says how long it took. On stderr, as stdout may be somebody's JSON
 * (npm pack --json).
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 */
export async function progress(title, work) {
  console.error(`· ${title}`)
  const startedMs = performance.now()
  const result = await work()
  console.error(`  done in ${seconds(performance.now() - startedMs)}`)
  return result
}

/**
 * @param {number} ms
 */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

/**
 * Runs a script's main function and turns a `Failure` into a message and exit code 1.
 * @param {() => Promise<void>} main
 */
export async function script(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`\n${error.message}`)
    process.exitCode = 1
  }
}
