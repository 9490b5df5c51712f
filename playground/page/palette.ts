/** The colours of the style sheet, for what is drawn on a canvas. */
export interface Palette {
  readonly muted: string
  readonly line: string
  readonly accent: string
  readonly accentWash: string
  readonly deepLine: string
  readonly deepInk: string
  readonly deepMuted: string
  readonly live: string
  readonly late: string
  readonly away: string
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    muted: colour("muted"),
    line: colour("line"),
    accent: colour("accent"),
    accentWash: `${colour("accent")}1a`,
    deepLine: colour("deep-line"),
    deepInk: colour("deep-ink"),
    deepMuted: colour("deep-muted"),
    live: colour("live"),
    late: colour("late"),
    away: colour("away"),
  }
}

/** Tells when the colours have changed, as by the light of day. */
export function onSchemeChange(listener: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener)
}
