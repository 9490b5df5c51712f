import { decodeBody } from "../protocol/msgpack.ts"
import type { Core } from "./core.ts"
import { declared, outputSchema } from "./payload.ts"
import type { Target } from "./target.ts"

/** Hands a signal to the subscriptions that can take it now. It is not logged, and nobody waits for it. */
export async function sendSignal(
  core: Pick<Core, "publisher" | "channels">,
  target: Target,
  name: string,
  value: unknown,
  from?: string,
): Promise<void> {
  const payload = declared(target, "signals", name)
  const body = await core.publisher.encode(`signal "${name}" of ${target.name}`, outputSchema(payload), value)
  const channel = core.channels.find(target.name)
  if (channel === undefined) return
  const sender = from === undefined ? {} : { from }
  channel.signal(
    { type: "signal", alias: channel.alias, name, ...sender, data: decodeBody(body) },
    body.byteLength,
  )
}
