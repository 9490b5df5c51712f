import { element, make, write } from "../element.ts"
import { avatar } from "./avatar.ts"

const SHOWN_MAX = 4

/** Who is here, as coloured initials; and who is typing. */
export function createPeopleView() {
  const list = element("people", HTMLUListElement)
  const here = element("here", HTMLElement)
  const typing = element("typing", HTMLElement)
  let count = 0
  let isConnected = true

  function showCount(): void {
    const known = isConnected ? "here" : "were here"
    write(here, count === 0 ? "\u00a0" : `${count} ${known}`)
  }

  return {
    showPeople: (names: readonly string[]): void => {
      count = names.length
      showCount()
      const sorted = [...names].sort((a, b) => a.localeCompare(b))
      const shownCount = names.length > SHOWN_MAX ? SHOWN_MAX - 1 : SHOWN_MAX
      const shown = sorted.slice(0, shownCount).map((name) => {
        const person = make("li", "", avatar(name), make("span", "visually-hidden", name))
        person.title = name
        return person
      })
      const more = names.length - shownCount
      if (more > 0) shown.push(make("li", "", make("span", "avatar more", `+${more}`)))
      list.replaceChildren(...shown)
    },
    /** Without a connection, who is here is not known, but who was. */
    showConnection: (connected: boolean): void => {
      isConnected = connected
      showCount()
    },
    showTyping: (names: readonly string[]): void => write(typing, typingText(names)),
  }
}

function typingText(names: readonly string[]): string {
  if (names.length > 1) return `${names.length} people are typing…`
  return names[0] === undefined ? "\u00a0" : `${names[0]} is typing…`
}
