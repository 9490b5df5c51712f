import type { Host, HubConnection } from "holdfast/testing"
import type { InjectedBug } from "../injected-bug.ts"

/** A full line is not waited for: what does not fit is dropped. */
export function dropsFramesWhenBehind(): InjectedBug {
  return {
    host: ({ connect }: Host): Host => ({
      connect: (link, request) => {
        let full = false
        const write = (bytes: Uint8Array) => {
          if (!full) full = !link.write(bytes)
          return true
        }
        const connection = connect({ ...link, write }, request)
        return bent(connection, {
          handleDrain: () => {
            full = false
            connection.handleDrain()
          },
        })
      },
    }),
  }
}

/** Does not notice that a line is gone, so its members stay. */
export function keepsMembersThatAreGone(): InjectedBug {
  return {
    host: ({ connect }) => ({
      connect: (link, request) => bent(connect(link, request), { handleClose: () => {} }),
    }),
  }
}

function bent(connection: HubConnection, changed: Partial<HubConnection>): HubConnection {
  return {
    get id() {
      return connection.id
    },
    get isLive() {
      return connection.isLive
    },
    get isServed() {
      return connection.isServed
    },
    get isEnding() {
      return connection.isEnding
    },
    get isWhole() {
      return connection.isWhole
    },
    handleMessage: (decoded, bytes) => connection.handleMessage(decoded, bytes),
    handleInvalid: (error) => connection.handleInvalid(error),
    handleAlive: () => connection.handleAlive(),
    handleDrain: () => connection.handleDrain(),
    handleClose: (orderly) => connection.handleClose(orderly),
    ...changed,
  }
}
