import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { sharedTabs } from "holdfast/tabs"
import { z } from "zod/mini"

export const app = contract({
  "room/:room": channel({ events: { said: z.string() }, presence: z.string(), keep: { events: 5_000 } }),
})

/** A tab, as the test holds it. */
export interface TabsPage {
  readonly heard: string[]
  readonly gaps: string[]
  readonly status: () => string
  readonly member: () => string | undefined
  readonly transport: () => string | undefined
  /** Publishes so many, and waits until all are acknowledged. */
  readonly publish: (texts: readonly string[]) => Promise<number[]>
  readonly enter: (name: string) => Promise<void>
  readonly close: () => void
}

declare global {
  interface Window {
    tabsPage: TabsPage
  }
}

// the server imports the contract from here too
if (typeof window === "object") {
  const script = location.search === "?broken" ? "/missing.js" : "/worker.js"
  const worker = () => new SharedWorker(script, { type: "module" })
  const client = connect<typeof app>("/holdfast", {
    transport: sharedTabs(location.search === "" ? {} : { worker }),
  })
  // that lines are cut is what the tests are about
  client.on("error", () => {})
  const room = client.channel("room/:room", { room: "lobby" }, { history: "all" })
  const page = { heard: [] as string[], gaps: [] as string[] }
  room.on("said", (text) => page.heard.push(text))
  room.onGap(({ reason }) => page.gaps.push(reason))
  window.tabsPage = {
    ...page,
    status: () => client.status,
    member: () => client.member,
    transport: () => client.transport,
    publish: (texts) => Promise.all(texts.map(async (text) => (await room.publish("said", text)).offset)),
    enter: (name) => room.presence.enter(name),
    close: client.close,
  }
}
