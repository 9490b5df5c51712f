/** One import of a file: what stands between the quotes, and whether it is gone at runtime. */
export interface Import {
  /** `(computed)` for `import(expression)`. */
  readonly specifier: string
  readonly typeOnly: boolean
}

const STATIC_IMPORT =
  /(?<![\w$.])import(\s+type(?!\s+from\b|\s*,))?\s*(?:[\w$]+\s*,?\s*)?(?:\*\s*as\s+[\w$]+\s*|\{[^{}]*\}\s*)?(?:from\s*)?(["'])(_*)\2/dg
const EXPORT_FROM =
  /(?<![\w$.])export(\s+type)?\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[^{}]*\})\s*from\s*(["'])(_*)\2/dg
const DYNAMIC_IMPORT = /(?<![\w$.])(typeof\s+)?import\s*\(\s*(?:(["'`])(_*)\2)?/dg

/**
 * The imports of a TypeScript source. `import { type A } from` counts as one that is there at runtime, because under
 * `verbatimModuleSyntax` it is; so does `import("x").A` in a type, which can be written as `import type`.
 */
export function importsOf(source: string): Import[] {
  const code = codeOf(source)
  return [STATIC_IMPORT, EXPORT_FROM, DYNAMIC_IMPORT].flatMap((form) =>
    [...code.matchAll(form)].map((match) => {
      const range = match.indices?.[3]
      return {
        specifier: range === undefined ? "(computed)" : source.slice(...range),
        typeOnly: match[1] !== undefined,
      }
    }),
  )
}

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//y
const STRING = /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/y
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y
/** What stands before a slash that begins a regular expression rather than divides. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield))\s*$/

/**
 * A source of the same length in which comments are blank and the texts of strings, templates and regular expressions
 * are underscores, so that what looks like code in it is code.
 */
export function codeOf(source: string): string {
  let code = ""
  let depth = 0
  /** For each template that is open, the depth of braces at which its `${` stands. */
  const templates: number[] = []

  const take = (token: RegExp): string | undefined => {
    token.lastIndex = code.length
    return token.exec(source)?.[0]
  }
  const takeTemplateText = () => {
    code += mask(take(TEMPLATE_TEXT) ?? "")
    if (source.startsWith("${", code.length)) {
      templates.push(depth)
      code += "${"
    } else {
      code += "`"
    }
  }

  while (code.length < source.length) {
    const comment = take(COMMENT)
    if (comment !== undefined) {
      code += comment.replace(/[^\n]/g, " ")
      continue
    }
    const text = take(STRING) ?? (BEFORE_REGEX.test(code.slice(-200)) ? take(REGEX) : undefined)
    if (text !== undefined) {
      code += text.charAt(0) + mask(text.slice(1, -1)) + text.charAt(0)
      continue
    }
    const char = source.charAt(code.length)
    code += char
    if (char === "`") takeTemplateText()
    else if (char === "{") depth++
    else if (char === "}" && templates.at(-1) === depth) {
      templates.pop()
      takeTemplateText()
    } else if (char === "}") depth--
  }
  return code
}

function mask(text: string): string {
  return text.replace(/[^\n]/g, "_")
}
