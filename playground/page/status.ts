import type { Connection } from "./client.ts"
import { onFrame } from "./frames.ts"
import { createStatusView } from "./status-view.ts"

const SHOW_EVERY_MS = 200

/** How the line stands, as the client tells. */
export function startStatus({ client, offlineForMs }: Connection): void {
  const view = createStatusView()
  let wasOpen = false

  client.on("status", (status) => {
    if (status === "open") view.announce(wasOpen ? "Connected again." : "Connected.")
    else if (wasOpen && status === "waiting") view.announce("The line is lost. It will be tried again.")
    wasOpen ||= status === "open"
  })
  onFrame(SHOW_EVERY_MS, () => {
    const offlineMs = offlineForMs()
    view.show({
      state: client.status,
      retryInMs: client.retryInMs,
      offlineForMs: offlineMs > 0 ? offlineMs : undefined,
    })
  })
}
