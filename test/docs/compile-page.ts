import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import type { Page } from "./markdown.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/**
 * Compiles the blocks of a page that are code, each as a module of its own beside those of `surroundings`, by file name, and
 * returns what the compiler complains about.
 */
export function compilePage(
  page: Page,
  name: string,
  surroundings: Readonly<Record<string, string>>,
): string {
  // below the package, so that its dependencies are found
  const folder = join(root, "node_modules", ".cache", `${name}-page-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [file, text] of Object.entries(surroundings)) writeFileSync(join(folder, file), text)
  for (const { text, line, info } of page.blocks) {
    if (info === "ts" || info === "tsx")
      writeFileSync(join(folder, `line-${line}.${info}`), `${text}\nexport {}\n`)
  }
  const { paths } = JSON.parse(
    readFileSync(join(root, "tsconfig.json"), "utf8").replaceAll(/^\s*\/\/.*$/gm, ""),
  ).compilerOptions as { paths: Record<string, string[]> }
  const absolute = Object.entries(paths).map(([name, [file]]) => [name, [join(root, file as string)]])
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: {
        lib: ["ES2023", "DOM", "DOM.Iterable"],
        types: ["node"],
        jsx: "react-jsx",
        paths: Object.fromEntries(absolute),
      },
      include: ["*.ts", "*.tsx"],
    }),
  )
  try {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
    execFileSync(process.execPath, [tsc, "-p", folder], { cwd: folder, encoding: "utf8" })
    return ""
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}
