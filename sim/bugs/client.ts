import type { Client } from "holdfast/client"
import type { SimulatedApp } from "../app.ts"
import type { InjectedBug } from "../injected-bug.ts"

type Room = ReturnType<Client<SimulatedApp>["channel"]>

/** Every twentieth event that is replayed is delivered, though it was already. */
export function deliversDuplicates(): InjectedBug {
  let count = 0
  return bends((room) => ({
    on: (name: "said", listener: (data: object, meta: { readonly replayed: boolean }) => void) =>
      (room as never as { on: (name: string, heard: typeof listener) => () => void }).on(
        name,
        (data, meta) => {
          listener(data, meta)
          if (meta.replayed && ++count % 20 === 0) listener(data, meta)
        },
      ),
  }))
}

/** A publish that failed is said to have succeeded. */
export function resolvesWhatFailed(): InjectedBug {
  return bends((room) => ({
    publish: (...args: readonly unknown[]) =>
      (room as never as { publish: (...args: readonly unknown[]) => Promise<unknown> })
        .publish(...args)
        .catch(() => room.position ?? { epoch: "e1", offset: 1 }),
  }))
}

/** The types of a channel are those of its pattern; a bug bends them all. */
function bends(changed: (room: Room) => object): InjectedBug {
  return {
    client: (client) => {
      const channel = (...args: Parameters<typeof client.channel>) => {
        const room = client.channel(...args) as Room
        return Object.create(room, Object.getOwnPropertyDescriptors(changed(room)))
      }
      return Object.create(client, { channel: { value: channel } })
    },
  }
}
