/** The parameters of a name pattern: `Params<"room/:room">` is `{ room: string }`. */
export type Params<Pattern extends string> = { readonly [Name in ParamName<Pattern>]: string }

type ParamName<Pattern extends string> = Pattern extends `${infer Head}/${infer Tail}`
  ? ParamName<Head> | ParamName<Tail>
  : Pattern extends `:${infer Name}`
    ? Name
    : never

/** A parsed name pattern: literal segments and parameters, separated by `/`. */
export interface NamePattern {
  readonly pattern: string
  readonly segments: readonly Segment[]
}

type Segment = { readonly literal: string } | { readonly param: string }

const LITERAL = /^[A-Za-z0-9_.~-]+$/
const PARAM = /^:[A-Za-z_][A-Za-z0-9_]*$/

/** A channel name's greatest length, in UTF-16 code units. */
export const CHANNEL_NAME_LENGTH_MAX = 255

/**
 * Parses a pattern such as `room/:room`.
 * @throws TypeError when a segment is empty, has other characters than `A-Z a-z 0-9 _ . ~ -`, or repeats a parameter.
 */
export function parsePattern(pattern: string): NamePattern {
  const seen = new Set<string>()
  const segments = pattern.split("/").map((text): Segment => {
    if (LITERAL.test(text)) return { literal: text }
    if (!PARAM.test(text)) {
      throw new TypeError(
        `channel pattern "${pattern}": the segment "${text}" is neither a word nor a :parameter`,
      )
    }
    const param = text.slice(1)
    if (seen.has(param))
      throw new TypeError(`channel pattern "${pattern}": the parameter :${param} stands twice`)
    seen.add(param)
    return { param }
  })
  return { pattern, segments }
}

/**
 * The channel name for a pattern with its parameters filled in. Values are percent-encoded, so they may hold any
 * character, `/` included.
 * @throws TypeError when a parameter is missing, empty, not well-formed Unicode, or the name becomes longer than 255.
 */
export function formatName(pattern: string, params: Readonly<Record<string, string>>): string {
  const name = pattern
    .split("/")
    .map((segment) => (segment.startsWith(":") ? encodeParam(pattern, segment.slice(1), params) : segment))
    .join("/")
  if (name.length > CHANNEL_NAME_LENGTH_MAX) {
    throw new TypeError(
      `channel "${pattern}": the name is ${name.length} characters long, ${CHANNEL_NAME_LENGTH_MAX} are allowed`,
    )
  }
  return name
}

function encodeParam(pattern: string, param: string, params: Readonly<Record<string, string>>): string {
  const value: unknown = params[param]
  try {
    if (typeof value === "string" && value !== "") return encodeURIComponent(value)
  } catch {
    // falls through: of a string, only a lone surrogate cannot be encoded
  }
  throw new TypeError(
    `channel "${pattern}": the parameter "${param}" must be a string, not empty, without lone surrogates`,
  )
}

/** The parameters of `name` under `pattern`, or undefined when it does not match. */
export function matchName(pattern: NamePattern, name: string): Record<string, string> | undefined {
  const parts = name.split("/")
  if (parts.length !== pattern.segments.length) return undefined
  const params: [string, string][] = []
  for (const [index, segment] of pattern.segments.entries()) {
    const part = parts[index] as string
    if ("literal" in segment) {
      if (part !== segment.literal) return undefined
      continue
    }
    const value = decodeParam(part)
    if (value === undefined) return undefined
    params.push([segment.param, value])
  }
  // not by assignment, as a parameter may be called "__proto__"
  return Object.fromEntries(params)
}

/** Only the canonical spelling is a name: otherwise one channel would have several names, and several logs. */
function decodeParam(part: string): string | undefined {
  if (part === "") return undefined
  try {
    const value = decodeURIComponent(part)
    return encodeURIComponent(value) === part ? value : undefined
  } catch {
    return undefined
  }
}
