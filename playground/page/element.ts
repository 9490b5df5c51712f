/**
 * The element of the page with this id.
 * @throws Error when there is none of that kind: the page and its script do not belong together then.
 */
export function element<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`The page has no ${kind.name} with the id "${id}".`)
}

/** A new element with a class and what it holds. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  if (className !== "") made.className = className
  made.append(...content)
  return made
}

/** Writes a text where it is not there already: a layout is only worth its price when something changed. */
export function write(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}
