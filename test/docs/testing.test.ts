import { expect, test } from "vitest"
import { bugNames } from "../../sim/bugs/catalog.ts"
import { HELP } from "../../sim/options.ts"
import { faults } from "../../sim/profile.ts"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("testing.md")

const SURROUNDINGS = `
import { testWorld } from "holdfast/testing"
import { app as chatApp, chat } from "../../../examples/testing/chat.ts"
const make = () => testWorld(chatApp, chat(() => {}))
type World = ReturnType<typeof make>
const channelOf = (world: World) => world.connect().channel("room/:room", { room: "" })
declare global {
  const app: typeof chatApp
  const options: ReturnType<typeof chat>
  const testWorld: typeof import("holdfast/testing").testWorld
  const clock: World["clock"]
  const network: World["network"]
  const ada: ReturnType<typeof channelOf>
}
`

const firstCells = (title: string) =>
  page.sections
    .find((section) => section.title === title)
    ?.rows.slice(1)
    .flatMap((cells) => [...(cells[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name))

test("the code on the page compiles", () => {
  expect(page.blocks.filter(({ info }) => info === "ts").length).toBeGreaterThan(1)
  expect(compilePage(page, "testing", { "surroundings.ts": SURROUNDINGS })).toBe("")
})

test("the page names every injected bug, and so does the help", () => {
  expect(firstCells("Known bugs that it has to find")).toEqual(bugNames)
  for (const name of bugNames) expect(HELP).toContain(name)
})

test("the page names every fault", () => {
  const named = firstCells("The simulation")
  expect([...(named ?? [])].sort()).toEqual([...faults, "reconnect"].sort())
})
