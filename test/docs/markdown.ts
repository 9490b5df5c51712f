import { readFileSync } from "node:fs"

/** A part of a page: a fenced block, a comment that stands alone, or a table row, in the order of the page. */
export interface Block {
  /** What stands behind the opening fence, such as `json client`. */
  readonly info: string
  readonly text: string
  readonly section: Section
  readonly line: number
}

export interface Section {
  readonly title: string
  /** The title of the section of level 2 that this one is in, or its own. */
  readonly chapter: string
  readonly anchor: string
  readonly rows: string[][]
}

export interface Page {
  readonly sections: readonly Section[]
  /** Fenced blocks, and comments of the form `<!-- play ... -->`, whose info is `play`. */
  readonly blocks: readonly Block[]
  /** The targets of all links. */
  readonly links: readonly string[]
}

/** Reads a page of `docs/`. Knows as much Markdown as these pages use. */
export function readPage(name: string): Page {
  const source = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8")
  const lines = source.split("\n")
  const sections: Section[] = []
  const blocks: Block[] = []
  const links: string[] = []
  const anchors = new Map<string, number>()
  let section: Section = { title: "", chapter: "", anchor: "", rows: [] }

  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string
    const fence = /^```(.+)$/.exec(line)
    const heading = /^(#+) (.+)$/.exec(line)
    const play = /^<!-- (play) (.*) -->$/.exec(line)
    if (fence !== null) {
      const end = lines.indexOf("```", index)
      blocks.push({ info: fence[1]!, text: lines.slice(index + 1, end).join("\n"), section, line: index + 1 })
      index = end
    } else if (line === "```") {
      index = lines.indexOf("```", index + 1)
    } else if (heading !== null) {
      const title = heading[2]!
      const chapter = heading[1]!.length <= 2 ? title : section.chapter
      section = { title, chapter, anchor: anchorOf(title, anchors), rows: [] }
      sections.push(section)
    } else if (play !== null) {
      blocks.push({ info: "play", text: play[2]!, section, line: index + 1 })
    } else {
      if (line.startsWith("|") && !/^\|([ :-]+\|)+$/.test(line)) section.rows.push(cellsOf(line))
      for (const [, target] of line.matchAll(/\]\(([^)]+)\)/g)) links.push(target!)
    }
  }
  return { sections, blocks, links }
}

/** As GitHub does it: the second of two equal ones gets a number. */
function anchorOf(title: string, anchors: Map<string, number>): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-")
  const seen = anchors.get(slug) ?? 0
  anchors.set(slug, seen + 1)
  return seen === 0 ? slug : `${slug}-${seen}`
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim())
}
