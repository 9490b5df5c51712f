import { element, write } from "../element.ts"

/** What can be broken on purpose. What is asked of the server resolves with what to say of it. */
export interface LabActions {
  readonly cut: () => void
  readonly goOffline: (ms: number) => void
  readonly stopReading: () => Promise<string>
  readonly dropEverybody: () => Promise<string>
  readonly burst: () => Promise<string>
}

const NOT_CONNECTED = "Not connected: only “Go offline” works until the connection is back."

/** The buttons that break things, and a line that says what they did or why they do nothing. */
export function createLab(actions: LabActions) {
  const lab = element("lab", HTMLElement)
  const noteLine = element("lab-note", HTMLElement)
  const buttons = [...lab.querySelectorAll("button")]
  const busy = new Set<HTMLButtonElement>()
  let isOpen = false
  let wasOpen = false
  const note = (text: string) => write(noteLine, text)

  /** A disabled button keeps its focus and can still say its reason. */
  function showDisabled(): void {
    for (const button of buttons) {
      const isDisabled = busy.has(button) || (!isOpen && button.dataset.needs === "connection")
      button.setAttribute("aria-disabled", String(isDisabled))
      if (isDisabled) button.setAttribute("aria-describedby", noteLine.id)
      else button.removeAttribute("aria-describedby")
    }
  }

  const ask = (doing: string, action: () => Promise<string>) => (button: HTMLButtonElement) => {
    note(doing)
    busy.add(button)
    showDisabled()
    action()
      .then(note, () => note("The connection was lost before the answer came."))
      .finally(() => {
        busy.delete(button)
        showDisabled()
      })
  }
  const offline = (seconds: number) => () => {
    actions.goOffline(seconds * 1_000)
    note(`Offline for ${seconds} seconds: only “Go offline” works until then.`)
  }
  const handlers: Readonly<Record<string, (button: HTMLButtonElement) => void>> = {
    cut: () => {
      actions.cut()
      note("Your connection was cut.")
    },
    "offline-5": offline(5),
    "offline-15": offline(15),
    stop: ask("This tab reads nothing for 8 seconds.", actions.stopReading),
    drop: ask("Asking the server to drop every connection.", actions.dropEverybody),
    burst: ask("Publishing 500 events at once.", actions.burst),
  }
  lab.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null
    if (button === null) return
    if (button.getAttribute("aria-disabled") !== "true") handlers[button.dataset.lab ?? ""]?.(button)
    else if (!isOpen) note(NOT_CONNECTED)
  })
  showDisabled()

  return {
    note,
    showConnection: (open: boolean): void => {
      if (isOpen && !open) note(NOT_CONNECTED)
      if (open && !wasOpen) note("Break the connection and watch what comes back.")
      isOpen = open
      wasOpen ||= open
      showDisabled()
    },
  }
}
