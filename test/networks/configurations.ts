import { readPage } from "../docs/markdown.ts"

type Configuration = (port: number) => string
type Change = readonly [from: string, to: string]

const page = readPage("networks.md")

/** A configuration as the documentation has it, for these nodes, and with changes that make it a worse one. */
export function documented(
  name: "nginx" | "haproxy",
  nodePorts: readonly number[],
  changes: readonly Change[] = [],
): Configuration {
  const text = page.blocks.find(({ info }) => info === name)?.text
  if (text === undefined) throw new Error(`docs/networks.md has no configuration for ${name}`)
  return (port) =>
    changes
      .reduce(
        change,
        text.replace(/(listen |bind )(:?)80\b/, (_, word) => `${word}127.0.0.1:${port}`),
      )
      .split("\n")
      .flatMap((line) => {
        const [, node] = /10\.0\.0\.(\d):8080/.exec(line) ?? []
        if (node === undefined) return [line]
        const nodePort = nodePorts[Number(node) - 1]
        return nodePort === undefined ? [] : [line.replace(/10\.0\.0\.\d:8080/, `127.0.0.1:${nodePort}`)]
      })
      .join("\n")
}

/** All places. Throws when there is none, so that no test runs on a configuration that is not what it says. */
function change(text: string, [from, to]: Change): string {
  if (!text.includes(from)) throw new Error(`docs/networks.md has no ${JSON.stringify(from)} to change`)
  return text.replaceAll(from, to)
}
