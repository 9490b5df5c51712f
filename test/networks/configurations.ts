import { readPage } from "../docs/markdown.ts"
import type { Configuration } from "../support/middlebox.ts"

type Change = readonly [from: string, to: string]
export type Changes = readonly Change[]

const page = readPage("networks.md")

/** Changes to nginx's that make WebSockets fail: as it is without the lines for them, or by an answer of its own. */
export const FORGETS_UPGRADE: Changes = [
  ["proxy_set_header Upgrade $http_upgrade", 'proxy_set_header Upgrade ""'],
  ["proxy_set_header Connection $connection_upgrade", 'proxy_set_header Connection ""'],
]
export const refusesUpgrade = (status: number): Changes => [
  ["location /holdfast {", `location /holdfast { if ($http_upgrade) { return ${status} "no"; }`],
]

/** A change to nginx's with which what is streamed comes when the buffer is full, or never. With HTTP/1.1 it would not. */
export const BUFFERS: Change = [
  "proxy_http_version 1.1;",
  "proxy_http_version 1.0; proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;",
]

/** The same refusal by haproxy. */
export const HAPROXY_REFUSES: Changes = [
  [
    "default_backend",
    `http-request return status 200 content-type text/html string "no" if { hdr(Upgrade) -m found }\n  default_backend`,
  ],
]

/** A configuration as the documentation has it, for these nodes, and with changes that make it a worse one. */
export function documented(
  name: "nginx" | "haproxy",
  nodePorts: readonly number[],
  changes: Changes = [],
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
