import type { ChannelDefinition, Contract } from "../../contract/index.ts"
import type { Handlers } from "./application.ts"

/** A record, so that a facet that is added to the type has to be added here. */
const known: Readonly<Record<keyof Handlers, true>> = {
  subscribe: true,
  presence: true,
  snapshot: true,
  events: true,
  state: true,
  delete: true,
  signals: true,
  calls: true,
}

/**
 * A handler for something that the contract does not declare would never run: most likely a slip.
 * @throws TypeError that names it
 */
export function checkHandlers(
  contract: Contract,
  channels: Readonly<Record<string, Handlers | undefined>>,
): void {
  for (const [pattern, handlers] of Object.entries(channels)) {
    if (handlers === undefined) continue
    const definition = Object.hasOwn(contract.channels, pattern) ? contract.channels[pattern] : undefined
    if (definition === undefined)
      throw new TypeError(`hub options: the contract declares no channel "${pattern}"`)
    checkChannel(pattern, definition, handlers)
  }
  for (const [pattern, { snapshot }] of Object.entries(contract.channels)) {
    if (snapshot === undefined || channels[pattern]?.snapshot !== undefined) continue
    throw new TypeError(
      `hub options: channel "${pattern}" declares a snapshot, so it needs a loader "snapshot"`,
    )
  }
}

function checkChannel(pattern: string, definition: ChannelDefinition, handlers: Handlers): void {
  for (const name of Object.keys(handlers)) {
    if (Object.hasOwn(known, name)) continue
    const all = Object.keys(known).join(", ")
    throw new TypeError(`hub options: channel "${pattern}": "${name}" is none of ${all}`)
  }
  if (handlers.subscribe !== true) checkFunction(pattern, "subscribe", handlers.subscribe)
  for (const facet of ["events", "state", "signals", "calls"] as const) {
    checkNames(pattern, facet, definition[facet], handlers[facet])
  }
  checkNames(pattern, "state", definition.state, handlers.delete)
  for (const facet of ["presence", "snapshot"] as const) {
    checkFunction(pattern, facet, handlers[facet])
    if (handlers[facet] === undefined || definition[facet] !== undefined) continue
    throw new TypeError(`hub options: channel "${pattern}" of the contract declares no ${facet}`)
  }
}

function checkNames(pattern: string, facet: string, declared: object = {}, handled: object = {}): void {
  for (const [name, handler] of Object.entries(handled)) {
    checkFunction(pattern, `${facet}.${name}`, handler)
    if (Object.hasOwn(declared, name)) continue
    throw new TypeError(`hub options: channel "${pattern}" of the contract declares no ${facet} "${name}"`)
  }
}

function checkFunction(pattern: string, name: string, handler: unknown): void {
  if (handler === undefined || typeof handler === "function") return
  throw new TypeError(`hub options: channel "${pattern}": ${name} has to be a function`)
}
