import type { StandardSchemaV1 } from "@standard-schema/spec"

/** Any validator that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype and others. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** What goes into a schema, before it validates and transforms. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>

/** What comes out of a schema. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** One complaint of a schema. `path` is dotted, as in `items.3.price`; empty when the whole value is meant. */
export interface Issue {
  readonly path: string
  readonly message: string
}

export type Validation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly Issue[] }

export function isSchema(value: unknown): value is Schema {
  // arktype's schemas are functions, those of zod and valibot are objects
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false
  return typeof (value as Partial<Schema>)["~standard"]?.validate === "function"
}

/**
 * Validates `value`; a promise only when the schema itself is asynchronous. A bad value is an answer, not an exception;
 * what the schema's own code throws comes through.
 */
export function validate(schema: Schema, value: unknown): Validation | Promise<Validation> {
  const result = schema["~standard"].validate(value)
  // not instanceof, which another realm's promise fails: it would be taken for a result without issues
  return "then" in result ? Promise.resolve(result).then(toValidation) : toValidation(result)
}

function toValidation(result: StandardSchemaV1.Result<unknown>): Validation {
  if (result.issues === undefined) return { ok: true, value: result.value }
  return {
    ok: false,
    issues: result.issues.map((issue) => ({ path: dotted(issue.path), message: issue.message })),
  }
}

function dotted(path: StandardSchemaV1.Issue["path"]): string {
  return (path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
}
