import { make } from "./element.ts"

/** The disclosures of the code behind the panels: one is open at a time; a button and Escape close it. */
export function startCode(): void {
  const all = [...document.querySelectorAll<HTMLDetailsElement>(".code")]
  for (const details of all) {
    const close = () => {
      details.open = false
      details.querySelector("summary")?.focus()
    }
    const button = make("button", "code-close", "Close")
    button.type = "button"
    button.addEventListener("click", close)
    details.querySelector(".code-body")?.prepend(button)
    details.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && details.open) close()
    })
    details.addEventListener("toggle", () => {
      if (!details.open) return
      for (const other of all) if (other !== details) other.open = false
    })
  }
}
