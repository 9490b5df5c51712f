import type { Payload, Schema } from "../contract/index.ts"
import { isSchema, validate } from "../contract/schema.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { Target } from "./target.ts"

/** @throws HoldfastError `invalid_payload`, with the path of the first complaint */
export async function conform(what: string, schema: Schema, value: unknown): Promise<unknown> {
  let result = validate(schema, value)
  if (result instanceof Promise) result = await result
  if (result.ok) return result.value
  const issue = result.issues[0] ?? { path: "", message: "invalid" }
  const where = issue.path === "" ? "" : `${issue.path}: `
  throw new HoldfastError("invalid_payload", `${what}: ${where}${issue.message}`, { path: issue.path })
}

/** @throws HoldfastError `unknown_name` */
export function declared(target: Target, facet: "events" | "state" | "signals", name: string): Payload {
  const payloads = target.match.definition[facet]
  if (payloads !== undefined && Object.hasOwn(payloads, name)) return payloads[name] as Payload
  throw new HoldfastError("unknown_name", `channel ${target.match.pattern} declares no ${facet} "${name}"`)
}

export function inputSchema(payload: Payload): Schema {
  return isSchema(payload) ? payload : payload.input
}

export function outputSchema(payload: Payload): Schema {
  return isSchema(payload) ? payload : payload.output
}
