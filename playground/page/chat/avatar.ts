import { make } from "../element.ts"
import { hue, initials } from "./person.ts"

/** A person as a coloured disc with initials. */
export function avatar(name: string): HTMLElement {
  const disc = make("span", "avatar", initials(name))
  disc.style.setProperty("--hue", String(hue(name)))
  disc.setAttribute("aria-hidden", "true")
  return disc
}
