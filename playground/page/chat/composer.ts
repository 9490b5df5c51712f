import { element } from "../element.ts"

/** What the person at this tab does in the chat. */
export interface ComposerEvents {
  readonly onSend: (text: string) => void
  readonly onType: () => void
  readonly onRename: (name: string) => void
}

/** The fields in which a message, and the own name, are written. */
export function createComposer(name: string, events: ComposerEvents): void {
  const form = element("composer", HTMLFormElement)
  const text = element("text", HTMLInputElement)
  const nameField = element("name", HTMLInputElement)
  let current = name
  nameField.value = name

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const message = text.value.trim()
    if (message === "") return
    text.value = ""
    events.onSend(message)
  })
  text.addEventListener("input", () => {
    if (text.value.trim() !== "") events.onType()
  })

  nameField.addEventListener("change", () => {
    const wanted = nameField.value.trim().replace(/\s+/g, " ")
    nameField.value = wanted === "" ? current : wanted
    if (nameField.value === current) return
    current = nameField.value
    events.onRename(current)
  })
  nameField.addEventListener("keydown", (event) => {
    if (event.key === "Enter") text.focus()
    if (event.key !== "Escape") return
    nameField.value = current
    text.focus()
  })
}
