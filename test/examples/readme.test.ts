import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { readPage } from "../docs/markdown.ts"
import { root, runExample } from "./example.ts"

const { blocks } = readPage("../README.md")

/** The README's files in a folder of their own, each by the name in its first line. */
function unpack(edit: (text: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-readme-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }')
  for (const { text } of blocks) {
    const [, name] = /^\/\/ (\w+\.ts)/.exec(text) ?? []
    if (name !== undefined) writeFileSync(join(folder, name), edit(text))
  }
  return folder
}

test("the server and the client of the README run as written", async () => {
  const server = runExample(join(unpack(free), "server.ts"))
  const [, url = ""] = await server.line(/^listening at (.*)$/)
  const clients = unpack((text) => text.replace("ws://localhost:8080", url))
  const first = runExample(join(clients, "client.ts"))
  await first.line(/^1 here$/)
  await first.line(/^Ada: hello$/)
  const second = runExample(join(clients, "client.ts"))
  await second.line(/^Ada: hello$/)
  await second.line(/^2 here$/)
  await second.line(/^Ada: hello$/)
  await first.line(/^2 here$/)
  await first.line(/^Ada: hello$/)
})

test("the README has a contract, a server and a client", () => {
  const names = blocks
    .filter(({ info }) => info === "ts")
    .map(({ text }) => text.match(/^\/\/ (\S+\.ts)/)?.[1])
  expect(names).toEqual(["contract.ts", "server.ts", "client.ts"])
})

/** On any port that is free. */
function free(text: string): string {
  expect(text.includes("createHub") === text.includes("port: 8080")).toBe(true)
  return text.replace("port: 8080", "port: 0")
}
