const MOODS = [
  "Brisk",
  "Calm",
  "Bold",
  "Merry",
  "Sly",
  "Quiet",
  "Lucky",
  "Salty",
  "Swift",
  "Keen",
  "Sunny",
  "Wry",
]
const ANIMALS = [
  "Otter",
  "Heron",
  "Limpet",
  "Puffin",
  "Seal",
  "Urchin",
  "Tern",
  "Marlin",
  "Gannet",
  "Crab",
  "Eider",
  "Skua",
]

const STORED_AS = "holdfast-playground-name"

/** The name of this tab's person: the one it had before, or a friendly one drawn at random. */
export function ownName(): string {
  const known = sessionStorage.getItem(STORED_AS)
  if (known !== null && known !== "") return known
  const name = `${oneOf(MOODS)} ${oneOf(ANIMALS)}`
  rememberName(name)
  return name
}

/** Keeps the name for this tab, and for this tab only: each tab is a person of its own. */
export function rememberName(name: string): void {
  sessionStorage.setItem(STORED_AS, name)
}

/** `Brisk Otter` as `BO`. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase()
}

/** A colour's angle: the same for the same name, on every screen. */
export function hue(name: string): number {
  let hash = 0
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 3_600
  return hash / 10
}

function oneOf(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "Somebody"
}
