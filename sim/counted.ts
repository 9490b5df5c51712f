import type { Transport } from "holdfast/client"
import type { Host } from "holdfast/testing"
import type { Tally } from "./tally.ts"

/** Counts what passes. */
export function countedTransport({ open }: Transport, tally: Tally): Transport {
  return {
    open: (url, events) => {
      tally.add("lines opened")
      const line = open(url, {
        ...events,
        onMessage: (wire) => {
          tally.add("messages down")
          events.onMessage(wire)
        },
      })
      return {
        ...line,
        send: (wire) => {
          tally.add("messages up")
          line.send(wire)
        },
      }
    },
  }
}

/** Counts how often a line was full. */
export function countedHost({ connect }: Host, tally: Tally): Host {
  return {
    connect: (link, request) => {
      const write = (bytes: Uint8Array) => {
        const hasRoom = link.write(bytes)
        if (!hasRoom) tally.add("writes to a full line")
        return hasRoom
      }
      return connect({ ...link, write }, request)
    },
  }
}
