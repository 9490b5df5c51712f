// The code that the playground shows beside its panels: statements of its own source files, cut out when it is built.
import { Failure } from "./progress.mjs"

const PLACE = /<code data-source="([^"]+)">\n([^<]*)<\/code>/g

/**
 * Fills each `<code data-source="FILE">` of a page. Its lines are the beginnings of the statements to show, in the order of
 * the file.
 * @param {string} html
 * @param {(file: string) => string} read
 */
export function fillExcerpts(html, read) {
  return html.replace(PLACE, (_, file, starts) => {
    const text = excerptsOf(file, read(file).split("\n"), starts.split("\n").filter(Boolean))
    return `<code data-source="${file}">${escaped(text)}</code>`
  })
}

/**
 * @param {string} file
 * @param {readonly string[]} lines
 * @param {readonly string[]} starts
 */
function excerptsOf(file, lines, starts) {
  let from = 0
  const excerpts = starts.map((start) => {
    const first = lines.findIndex((line, index) => index >= from && line.startsWith(start))
    if (first === -1)
      throw new Failure(`The playground shows code that ${file} does not have: ${start.trim()}`)
    from = endOf(lines, first)
    return dedented(lines.slice(first, from))
  })
  return excerpts.join("\n\n")
}

/**
 * Where a statement ends, by its indentation: the code is formatted.
 * @param {readonly string[]} lines
 * @param {number} first
 */
function endOf(lines, first) {
  const depth = indentation(lines[first] ?? "")
  let end = first + 1
  while (end < lines.length && (lines[end] === "" || indentation(lines[end] ?? "") > depth)) end++
  if (/^\s*[)}\]]/.test(lines[end] ?? "") && indentation(lines[end] ?? "") === depth) return end + 1
  while (lines[end - 1] === "") end--
  return end
}

/** @param {readonly string[]} lines */
function dedented(lines) {
  const depth = indentation(lines[0] ?? "")
  return lines.map((line) => line.slice(depth)).join("\n")
}

/** @param {string} line */
function indentation(line) {
  return line.length - line.trimStart().length
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}
