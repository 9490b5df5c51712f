import { type Browser, chromium } from "playwright-core"
import { program } from "./program.ts"

const ARGS = [
  // Chromium's sandbox does not start as root, as which containers and CI run.
  "--no-sandbox",
  "--disable-gpu",
  // The rest keeps the browser from calling out: on a machine without the internet these calls only cost time.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** Starts a headless Chromium with a profile of its own. The caller closes it, or says `await using`. */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = program("chromium")
  if (executablePath === undefined)
    throw new Error('no Chromium here: guard with describe.skipIf(!program("chromium"))')
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [...ARGS, ...args],
    // as people have it
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    timeout: 0,
  })
  // The test has a timeout of its own.
  browser.on("context", (context) => context.setDefaultTimeout(0))
  return browser
}
