import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { expect, onTestFinished, test } from "vitest"
import { readPage } from "../docs/markdown.ts"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { documented } from "./configurations.ts"
import { startNode } from "./counter.ts"

const MESSAGES = 1_000

const [fromStart, resumed] = readPage("networks.md")
  .blocks.filter(({ info, text }) => info === "sh" && text.startsWith("curl"))
  .map(({ text }) => text)

/** Runs a command of the documentation until it has shown the number, and returns what it has shown. */
async function run(command: string, changes: Readonly<Record<string, string>>, until: number) {
  const here = Object.entries(changes).reduce((text, [from, to]) => text.replace(from, to), command)
  const [, ...args] = here.match(/"[^"]*"|\S+/g) ?? []
  const child = spawn(
    program("curl") as string,
    args.map((arg) => arg.replaceAll('"', "")),
    { stdio: ["ignore", "pipe", "ignore"] },
  )
  const exited = once(child, "exit")
  const numbers: number[] = []
  let id = ""
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("id: ")) id = line.slice(4)
    const [, number] = /^data: {"type":"event".*"data":(\d+)}$/.exec(line) ?? []
    if (number !== undefined && numbers.push(Number(number)) && number === `${until}`) break
  }
  child.kill()
  await exited
  return { numbers, id }
}

test.skipIf(!program("curl") || !program("nginx"))(
  "curl reads a channel as it is published, and goes on where it was, without the SDK",
  async () => {
    const node = await startNode()
    const box = await startMiddlebox("nginx", documented("nginx", [node.port]))
    onTestFinished(() => box.stop())
    const changes = { "https://example.com": `http://127.0.0.1:${box.port}`, "room/lobby": "counter" }
    const channel = node.hub.channel("counter", {})
    const publishTo = async (to: number) => {
      for (let number = to - MESSAGES + 1; number <= to; number++) await channel.publish("counted", number)
    }
    await channel.publish("counted", 1)
    const first = run(fromStart as string, changes, MESSAGES + 1)
    await publishTo(MESSAGES + 1)
    const { numbers, id } = await first
    // while nobody reads
    await publishTo(2 * MESSAGES + 1)
    const second = run(resumed as string, { ...changes, "1f3a:42": id }, 3 * MESSAGES + 1)
    await publishTo(3 * MESSAGES + 1)
    numbers.push(...(await second).numbers)
    expect(numbers).toEqual(Array.from({ length: 3 * MESSAGES + 1 }, (_, index) => index + 1))
  },
)
