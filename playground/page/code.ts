/** The disclosures of the code behind the panels: one is open at a time, and Escape closes it. */
export function startCode(): void {
  const all = [...document.querySelectorAll<HTMLDetailsElement>(".code")]
  for (const details of all) {
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return
      details.open = false
      details.querySelector("summary")?.focus()
    })
    details.addEventListener("toggle", () => {
      if (!details.open) return
      for (const other of all) if (other !== details) other.open = false
    })
  }
}
