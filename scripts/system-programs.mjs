// Programs that some tests need and npm cannot bring. On a Debian machine, and as root, they are installed; anywhere
// else it is said which tests are skipped, and how to get them.
import { accessSync, constants, existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { run } from "./processes.mjs"
import { progress } from "./progress.mjs"

/**
 * @typedef {"chromium" | "firefox" | "webkit-driver" | "minibrowser" | "xvfb" | "redis-server" | "nginx" | "haproxy" | "curl"} ProgramName
 * @typedef {object} Program
 * @property {string} debianPackage
 * @property {readonly string[]} commands what to look for on the PATH
 * @property {readonly string[]} places full paths to look at, for systems that keep programs elsewhere
 * @property {readonly string[]} steps the steps of the tests that need it
 */

/** @type {Record<ProgramName, Program>} */
export const PROGRAMS = {
  chromium: {
    debianPackage: "chromium",
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    places: [
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    steps: ["browser"],
  },
  firefox: {
    debianPackage: "firefox-esr",
    commands: ["firefox-esr", "firefox"],
    places: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
    steps: ["browser"],
  },
  "webkit-driver": {
    debianPackage: "webkit2gtk-driver",
    commands: ["WebKitWebDriver"],
    places: [],
    steps: ["browser"],
  },
  minibrowser: {
    debianPackage: "webkit2gtk-driver",
    commands: [],
    places: ["x86_64", "aarch64"].map(
      (machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
    ),
    steps: ["browser"],
  },
  xvfb: { debianPackage: "xvfb", commands: ["Xvfb"], places: [], steps: ["browser"] },
  "redis-server": {
    debianPackage: "redis-server",
    commands: ["redis-server", "valkey-server"],
    places: ["/opt/homebrew/bin/redis-server"],
    steps: ["unit", "integration", "chaos", "networks", "browser"],
  },
  nginx: { debianPackage: "nginx", commands: ["nginx"], places: [], steps: ["networks"] },
  haproxy: { debianPackage: "haproxy", commands: ["haproxy"], places: [], steps: ["networks"] },
  curl: { debianPackage: "curl", commands: ["curl"], places: [], steps: ["networks"] },
}

export const programNames = /** @type {ProgramName[]} */ (Object.keys(PROGRAMS))

/**
 * The environment variable that tells tests where a program is, and with which one can point to another.
 * @param {ProgramName} name
 */
export function variable(name) {
  return `HOLDFAST_${name.toUpperCase().replaceAll("-", "_")}`
}

/**
 * Where a program is, or undefined.
 * @param {ProgramName} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  const told = process.env[variable(name)]
  if (told) return isExecutable(told) ? told : undefined
  // Debian keeps servers in sbin, which is not on everybody's PATH.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  const { commands, places } = PROGRAMS[name]
  return [...commands.flatMap((command) => folders.map((folder) => join(folder, command))), ...places].find(
    isExecutable,
  )
}

/**
 * What to tell somebody who lacks a program.
 * @param {ProgramName} name
 */
export function howToGet(name) {
  return `apt-get install ${PROGRAMS[name].debianPackage}, or set ${variable(name)} to its path`
}

/**
 * Brings the programs that the given steps need and answers with the environment variables that tell where they are.
 * A program that cannot be had is missing from the answer.
 * @param {readonly string[]} steps
 * @returns {Promise<Record<string, string>>}
 */
export async function provide(steps) {
  /** @type {Record<string, string>} */
  const env = {}
  for (const name of programNames.filter((name) =>
    PROGRAMS[name].steps.some((step) => steps.includes(step)),
  )) {
    const path = findProgram(name) ?? (await installProgram(name))
    if (path !== undefined) env[variable(name)] = path
    else
      console.warn(
        `\n!! ${name} is missing: the tests that need it are SKIPPED. To run them: ${howToGet(name)}.\n`,
      )
  }
  return env
}

/**
 * @param {ProgramName} name
 */
async function installProgram(name) {
  const isPointedElsewhere = Boolean(process.env[variable(name)])
  if (isPointedElsewhere || !existsSync("/etc/debian_version") || process.getuid?.() !== 0) return undefined
  return progress(`Installing ${name} (apt-get)`, async () => {
    // A mirror that is being updated fails for a moment; the second try has a new package list.
    for (let attempt = 1; attempt <= 2; attempt++) {
      const update = await aptGet(["update"])
      const install = await aptGet(["install", "-y", "--no-install-recommends", PROGRAMS[name].debianPackage])
      if (install.ok) return findProgram(name)
      console.warn(`  attempt ${attempt} failed:\n${lastLines(update.output + install.output)}`)
    }
    return undefined
  })
}

/**
 * @param {readonly string[]} args
 */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  return run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], { quiet: true, env })
}

/**
 * @param {string} output
 */
function lastLines(output) {
  return output.trim().split("\n").slice(-10).join("\n")
}

/**
 * @param {string} path
 */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
