import { decodeBody, encodeBody } from "../../protocol/body.ts"

/** Where nodes keep their keys: no pattern of a contract matches it. */
export const NODES_CHANNEL = "$nodes"
export const NODES = "nodes"

const ENDLESS = Number.POSITIVE_INFINITY
export const nodesRetention = { entries: ENDLESS, forMs: ENDLESS, bytes: ENDLESS, removalsForMs: 0 }

/**
 * `alive`: it renews its lease. `left`: it has closed, and what it still holds goes when its lease is over. `dead`: its lease is over, and
 * what it held is being removed.
 */
export type NodeState = "alive" | "left" | "dead"

const bodies: Readonly<Record<NodeState, Uint8Array>> = {
  alive: encodeBody("alive"),
  left: encodeBody("left"),
  dead: encodeBody("dead"),
}

export function bodyOf(state: NodeState): Uint8Array {
  return bodies[state]
}

export function stateOf(body: Uint8Array): NodeState {
  return decodeBody(body) as NodeState
}

/** A node has several lives if others take it for dead: what it holds in one is never put in another. */
export function lifeOf(node: string, number: number): string {
  return `${node}/${number}`
}

export function nodeOf(life: string): string {
  return life.slice(0, life.lastIndexOf("/"))
}

/** The channel in which a life of a node lists the channels that it has members in. */
export function heldChannelOf(life: string): string {
  return `${NODES_CHANNEL}/${life}`
}
