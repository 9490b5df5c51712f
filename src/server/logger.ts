import type { Logger } from "../hub/ports/logger.ts"

/** One line of JSON per message, on standard error. */
export const consoleLogger: Logger = {
  warn: (text, fields) => console.error(line("warn", text, fields)),
  error: (text, fields) => console.error(line("error", text, fields)),
}

function line(level: string, text: string, fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify({ time: new Date().toISOString(), level, text, ...fields }, readable)
  } catch {
    // A cycle, a bigint or a toJSON that throws: the text is better than nothing.
    return JSON.stringify({ time: new Date().toISOString(), level, text })
  }
}

/** An Error has no enumerable properties, and would be written as {}. */
function readable(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { stack, message, cause } = value
  return { ...value, stack: stack ?? message, ...(cause === undefined ? {} : { cause }) }
}
