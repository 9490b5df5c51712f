import { element, write } from "../element.ts"

/** What can be broken on purpose. What is asked of the server resolves with what to say of it. */
export interface LabActions {
  readonly cut: () => void
  readonly goOffline: (ms: number) => void
  readonly readSlowly: () => Promise<string>
  readonly dropEverybody: () => Promise<string>
  readonly burst: () => Promise<string>
}

/** The buttons that break things, and a line that says what they did. */
export function createLab(actions: LabActions): { note: (text: string) => void } {
  const lab = element("lab", HTMLElement)
  const noteLine = element("lab-note", HTMLElement)
  const note = (text: string) => write(noteLine, text)

  const ask = (doing: string, action: () => Promise<string>) => () => {
    note(doing)
    action().then(note, () => note("That needs the line: try again when it is back."))
  }
  const offline = (seconds: number) => () => {
    actions.goOffline(seconds * 1_000)
    note(`No way out for ${seconds} seconds.`)
  }
  const handlers: Readonly<Record<string, () => void>> = {
    cut: () => {
      actions.cut()
      note("Your line was cut.")
    },
    "offline-5": offline(5),
    "offline-15": offline(15),
    slow: ask("The server gets nothing through to this tab.", actions.readSlowly),
    drop: ask("Asking the server to cut every line.", actions.dropEverybody),
    burst: ask("Publishing 500 events at once.", actions.burst),
  }
  lab.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null
    handlers[button?.dataset.lab ?? ""]?.()
  })
  return { note }
}
