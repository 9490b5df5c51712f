import { room as lobby } from "../../places.ts"
import type { PlaygroundClient } from "../client.ts"
import { element } from "../element.ts"
import { nowMs } from "../frames.ts"
import { createComposer } from "./composer.ts"
import { createMessageList } from "./message-list.ts"
import { createPeopleView } from "./people-view.ts"
import { ownName, rememberName } from "./person.ts"
import { createTyping, sayingTyping } from "./typing.ts"

/** The chat room: events, presence and signals of one channel. */
export function startChat(client: PlaygroundClient, onUnread: () => void): void {
  const room = client.channel("room/:room", lobby, { history: { last: 50 } })
  const list = createMessageList(element("messages", HTMLElement), element("message-log", HTMLElement))
  const people = createPeopleView()
  const typing = createTyping(people.showTyping)
  const own = sayingTyping(() => room.signal("typing", { name }))
  let name = ownName()

  const enter = (): void => {
    room.presence
      .enter({ name })
      .catch((error: Error) => list.remark(`You are not shown as here: ${error.message}`))
  }
  const waitNote = (): string => (client.status === "open" ? "sending…" : "will be sent when connected")

  function send(text: string): void {
    const ref = crypto.getRandomValues(new Uint32Array(3)).join("-")
    own.sent()
    list.addPending({ ref, name, text, at: nowMs() }, waitNote())
    room
      .publish("said", { text, name, ref })
      .catch((error: Error) => list.refuse(ref, `not sent: ${error.message}`))
  }

  room.on("said", (data, { at, replayed }) => {
    list.add({ ref: data.ref, name: data.name, text: data.text, at })
    typing.handleSaid(data.member)
    if (!replayed && data.member !== client.member) onUnread()
  })
  room.onGap(() => list.remark("Older messages are gone: the server no longer has them."))
  room.onSignal("typing", (data, { from }) => typing.handleTyping(from ?? "", data.name))
  room.presence.onChange((members) => people.showPeople([...members.values()].map((person) => person.name)))
  client.on("status", (status) => {
    list.notePending(waitNote())
    people.showConnection(status === "open")
  })

  enter()
  createComposer(name, {
    onSend: send,
    onType: own.typed,
    onRename: (wanted) => {
      name = wanted
      rememberName(name)
      enter()
    },
  })
}
