import type { Connection } from "./client.ts"
import { onFrame } from "./frames.ts"
import { createStatusView } from "./status-view.ts"

const SHOW_EVERY_MS = 200
/** A client goes from node to node without its line being down, so the page has to ask. */
const ASK_EVERY_MS = 1_000
const ASK_TIMEOUT_MS = 2_000

/** How the line stands, as the client tells. */
export function startStatus({ client, offlineForMs }: Connection): void {
  const view = createStatusView()
  const pulse = client.channel("pulse", {})
  let wasOpen = false
  let node: string | undefined

  const askNode = async (): Promise<void> => {
    const { name } = await pulse.call("node", {}, { timeoutMs: ASK_TIMEOUT_MS })
    if (name === null) clearInterval(asking)
    else node = name
  }
  // who is asked may go meanwhile, and the next one is asked soon
  const ask = () => void askNode().catch(() => undefined)
  const asking = setInterval(() => {
    if (client.status === "open") ask()
  }, ASK_EVERY_MS)

  client.on("status", (status) => {
    if (status === "open") view.announce(wasOpen ? "Connected again." : "Connected.")
    else if (wasOpen && status === "waiting") view.announce("The connection is lost. It will be tried again.")
    wasOpen ||= status === "open"
    node = undefined
    if (status === "open") ask()
  })
  onFrame(SHOW_EVERY_MS, () => {
    const offlineMs = offlineForMs()
    view.show({
      state: client.status,
      retryInMs: client.retryInMs,
      logAvailable: client.logAvailable,
      node,
      offlineForMs: offlineMs > 0 ? offlineMs : undefined,
    })
  })
}
