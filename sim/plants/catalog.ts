import type { Plant } from "../plant.ts"

/** Known bugs, each made anew for each run. */
export const plants = {} satisfies Readonly<Record<string, () => Plant>> as Readonly<
  Record<string, () => Plant>
>

export const plantNames: readonly string[] = Object.keys(plants)

export function isPlanted(name: string): boolean {
  return Object.hasOwn(plants, name)
}

export function plantOf(name: string): Plant {
  const make = plants[name]
  if (make === undefined) throw new TypeError(`there is no planted bug "${name}"`)
  return make()
}
