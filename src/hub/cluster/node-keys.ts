import type { Retention } from "../../log/operation.ts"

/** Where nodes keep their keys: no pattern of a contract matches it. */
export const NODES_CHANNEL = "$nodes"
export const NODES = "nodes"

const endless = Number.POSITIVE_INFINITY
export const nodesRetention: Retention = {
  entries: endless,
  forMs: endless,
  bytes: endless,
  removalsForMs: 0,
}

/** A node has several lives if others take it for dead: what it holds in one is never put in another. */
export function lifeOf(node: string, number: number): string {
  return `${node}/${number}`
}

export function nodeOf(life: string): string {
  return life.slice(0, life.lastIndexOf("/"))
}

/** Where a life of a node lists the channels that it holds members in. */
export function heldChannelOf(life: string): string {
  return `${NODES_CHANNEL}/${life}`
}
