import { element, write } from "./element.ts"

/** The bar that chooses a panel on a phone; on a wider screen all panels are there and the bar is not. */
export function createPanels() {
  const unread = element("unread", HTMLElement)
  const unreadCountText = element("unread-count", HTMLElement)
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-show]")]
  let unreadCount = 0

  function show(panel: string): void {
    document.body.dataset.panel = panel
    for (const button of buttons) {
      if (button.dataset.show === panel) button.setAttribute("aria-current", "true")
      else button.removeAttribute("aria-current")
    }
    if (panel === "chat") setUnread(0)
  }

  function setUnread(count: number): void {
    unreadCount = count
    unread.hidden = count === 0
    write(unreadCountText, String(count))
  }

  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show ?? "proof"))

  return {
    /** Something new in the chat, which may not be in sight. */
    countUnread: (): void => {
      if (document.body.dataset.panel !== "chat") setUnread(unreadCount + 1)
    },
  }
}
