import { parseClientMessage } from "../../../protocol/client-message.ts"
import { HoldfastError } from "../../../protocol/error.ts"
import type { SendMessage } from "./send-link.ts"

const SENDABLE: ReadonlySet<string> = new Set([
  "publish",
  "set",
  "delete",
  "call",
  "signal",
  "enter",
  "leave",
])

/**
 * The messages of a request. If one of them is invalid, none is handled.
 * @throws HoldfastError `invalid_message` with the path of what is wrong
 */
export function messagesOf(value: unknown, messagesMax: number): SendMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new HoldfastError("invalid_message", '"messages" has to be an array of messages.', {
      path: "messages",
    })
  }
  if (value.length > messagesMax) {
    const text = `A request may carry ${messagesMax} messages, this one has ${value.length}.`
    throw new HoldfastError("invalid_message", text, { path: "messages", limit: messagesMax })
  }
  const ids = new Set<number>()
  return value.map((each, index) => {
    const message = parse(each, `messages.${index}`)
    if ("id" in message) {
      const path = `messages.${index}.id`
      if (ids.has(message.id)) {
        throw new HoldfastError("invalid_message", `Two messages have the id ${message.id}.`, { path })
      }
      ids.add(message.id)
    }
    return message
  })
}

function parse(decoded: unknown, path: string): SendMessage {
  try {
    const message = parseClientMessage(decoded)
    if (SENDABLE.has(message.type)) return message as SendMessage
    const known = [...SENDABLE].join(", ")
    throw new HoldfastError("invalid_message", `"type" has to be one of ${known}, not ${message.type}.`, {
      path: "type",
    })
  } catch (error) {
    const { message, path: inside } = error as HoldfastError
    throw new HoldfastError("invalid_message", message, {
      path: inside === undefined ? path : `${path}.${inside}`,
    })
  }
}
