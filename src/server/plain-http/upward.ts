import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { UpwardMessage } from "./send-link.ts"

const UPWARD: ReadonlySet<string> = new Set(["publish", "set", "delete", "call", "signal", "enter", "leave"])

/**
 * The messages that a request carries up: all of them are as they have to be, or none is handled.
 * @throws HoldfastError `invalid_message` with the path of what is wrong
 */
export function messagesOf(value: unknown, messagesMax: number): UpwardMessage[] {
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
    const message = upward(each, `messages.${index}`)
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

function upward(decoded: unknown, path: string): UpwardMessage {
  try {
    const message = parseClientMessage(decoded)
    if (UPWARD.has(message.type)) return message as UpwardMessage
    const known = [...UPWARD].join(", ")
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
