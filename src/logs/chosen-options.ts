/** Options, all of which have a value. */
export type Chosen<O> = { readonly [Name in keyof O]-?: Exclude<O[Name], undefined> }

/**
 * `defaults`, and what was given in their place; what is undefined was not given.
 * @throws TypeError that names an option that there is not, or that has another type than its default. A number below 0 is none
 */
export function chosenOptions<O extends object>(
  what: string,
  defaults: O,
  given: { readonly [Name in keyof O]?: O[Name] | undefined },
): O {
  const known = new Map<string, unknown>(Object.entries(defaults))
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of chosen) {
    if (!known.has(name))
      throw new TypeError(`${what}: there is no option "${name}"; known: ${[...known.keys()].join(", ")}`)
    const type = typeof known.get(name)
    if (typeof value === type && (type !== "number" || (value as number) >= 0)) continue
    const wanted = type === "number" ? "number from 0" : type
    throw new TypeError(`${what}: ${name} is ${String(value)}, and has to be a ${wanted}`)
  }
  return { ...defaults, ...Object.fromEntries(chosen) }
}
