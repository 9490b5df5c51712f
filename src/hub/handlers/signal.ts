import type { SendSignal } from "../../protocol/message.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import { conform, declared, inputSchema } from "../payload.ts"
import { refuse } from "./answer.ts"
import { contextOf, guarded, handlerOf, targetOf } from "./authorize.ts"

export async function signal(core: Core, connection: Connection, message: SendSignal): Promise<void> {
  try {
    const target = targetOf(core, message.channel)
    const payload = declared(target, "signals", message.name)
    const handler = handlerOf(core, target, "signals", message.name)
    const what = `signal "${message.name}" of ${target.name}`
    const data = await conform(what, inputSchema(payload), message.data)
    const value = await guarded(core, what, () => handler({ ...contextOf(core, connection, target), data }))
    await core.signals.send(target, message.name, value, connection.member)
  } catch (error) {
    refuse(core, connection, { channel: message.channel }, error)
  }
}
