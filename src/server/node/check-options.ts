import type { Contract } from "../../contract/index.ts"
import type { Log } from "../../log/log.ts"
import type { CreateHubOptions } from "./options.ts"

type Name = keyof CreateHubOptions<Contract, unknown>

/** A record, so that an option that is added to the type has to be added here. */
const known: Readonly<Record<Name, true>> = {
  authenticate: true,
  channels: true,
  log: true,
  limits: true,
  logger: true,
  origins: true,
  compression: true,
}

/**
 * The types let some slips through, and a program without types lets all of them through: they would show as clients that are
 * refused.
 * @throws TypeError that names what is wrong with the arguments of `createHub`
 */
export function checkOptions(
  contract: Contract,
  options: CreateHubOptions<Contract, never>,
  limits: object,
): void {
  if (typeof contract?.match !== "function")
    throw new TypeError("createHub takes what contract() returned, and then the options")
  const complaint =
    unknownOf("option", options, known) ??
    unknownOf("limit", options.limits ?? {}, limits) ??
    complainAuthenticate(options.authenticate) ??
    complainLog(options.log) ??
    complainOrigins(options.origins)
  if (complaint !== undefined) throw new TypeError(`hub options: ${complaint}`)
}

function unknownOf(what: string, given: object, all: object): string | undefined {
  const name = Object.keys(given).find((name) => !Object.hasOwn(all, name))
  return name === undefined
    ? undefined
    : `there is no ${what} "${name}"; known: ${Object.keys(all).join(", ")}`
}

function complainAuthenticate(authenticate: unknown): string | undefined {
  return authenticate === undefined || typeof authenticate === "function"
    ? undefined
    : "authenticate has to be a function"
}

function complainLog(log: Log | undefined): string | undefined {
  return log === undefined || typeof log?.append === "function"
    ? undefined
    : 'log has to be a log, such as redisLog("redis://localhost:6379")'
}

/** What is not written as browsers write it is equal to no origin. */
function complainOrigins(origins: unknown = []): string | undefined {
  if (origins === "any" || origins === "same-host") return undefined
  if (!Array.isArray(origins)) return 'origins has to be "same-host", "any" or a list'
  const wrong = origins.find((origin) => !isOrigin(origin))
  return wrong === undefined
    ? undefined
    : `origins has ${JSON.stringify(wrong)}, which is no origin; one looks like https://app.example.com`
}

function isOrigin(text: unknown): boolean {
  if (text === "null") return true
  // Apps in a browser's shell have schemes of their own, such as capacitor://localhost, of which URL knows no origin.
  return typeof text === "string" && URL.canParse(text) && /^[a-z][a-z\d+.-]*:\/\/[^/?#]+$/.test(text)
}
