import type { Client } from "holdfast/client"
import type { SimulatedApp } from "../app.ts"
import type { Plant } from "../plant.ts"

type Room = ReturnType<Client<SimulatedApp>["channel"]>

/** What is replayed is delivered, whether it was already or not. */
export function deliversDuplicates(): Plant {
  return bends((room) => ({
    on: (name: "said", listener: (data: object, meta: { readonly replayed: boolean }) => void) =>
      (room as never as { on: (name: string, heard: typeof listener) => () => void }).on(
        name,
        (data, meta) => {
          listener(data, meta)
          if (meta.replayed) listener(data, meta)
        },
      ),
  }))
}

/** A publish that failed is said to have succeeded. */
export function resolvesWhatFailed(): Plant {
  return bends((room) => ({
    publish: (...args: readonly unknown[]) =>
      (room as never as { publish: (...args: readonly unknown[]) => Promise<unknown> })
        .publish(...args)
        .catch(() => room.position ?? { epoch: "e1", offset: 1 }),
  }))
}

/** The types of a channel are those of its pattern; a plant bends them all. */
function bends(changed: (room: Room) => object): Plant {
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
