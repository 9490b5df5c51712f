import { connect } from "holdfast/client"
import { createHooks, useEvents, usePresence, useSignal, useStatus } from "holdfast/react"
import { type FormEvent, StrictMode, useEffect, useRef, useState } from "react"
import { createRoot } from "react-dom/client"
import type { app } from "./contract.ts"
import "./chat.css"

const name = new URLSearchParams(location.search).get("name") || `Guest ${Math.ceil(Math.random() * 99)}`

const { useChannel, useConnection } = createHooks(() => connect<typeof app>("/holdfast", { token: name }))

type Room = ReturnType<typeof useChannel<"room/:room">>

function Chat() {
  const [place, setPlace] = useState("lobby")
  const room = useChannel("room/:room", { room: place }, { history: { last: 50 } })
  return (
    <main>
      <header>
        <nav>
          {["lobby", "kitchen"].map((each) => (
            <button key={each} type="button" aria-pressed={each === place} onClick={() => setPlace(each)}>
              {each}
            </button>
          ))}
        </nav>
        <Here room={room} />
        <Connection />
      </header>
      <Messages room={room} />
      <Typing room={room} />
      <Compose key={place} room={room} />
    </main>
  )
}

function Here({ room }: { readonly room: Room }) {
  const members = usePresence(room, {})
  return <p className="here">{[...members.values()].map((member) => member.name).join(", ")}</p>
}

function Messages({ room }: { readonly room: Room }) {
  const messages = useEvents(room, "said", { last: 200 })
  const { status, error } = useStatus(room)
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    if (messages.length > 0) list.current?.lastElementChild?.scrollIntoView()
  }, [messages])
  if (status === "refused") return <p className="note">No entry: {error?.message}</p>
  return (
    <ol ref={list} aria-live="polite">
      {messages.map(({ key, gap, at, data }) => (
        <li key={key} className={data.by === name ? "own" : undefined}>
          {gap && <p className="note">Some messages are missing here.</p>}
          <b>{data.by}</b> <time>{new Date(at).toLocaleTimeString([], { timeStyle: "short" })}</time>
          <p>{data.text}</p>
        </li>
      ))}
    </ol>
  )
}

function Typing({ room }: { readonly room: Room }) {
  const members = usePresence(room)
  const names = [...useSignal(room, "typing").keys()].map((member) => members.get(member)?.name)
  return <p className="note">{names.length > 0 && `${names.join(", ")} typing …`}</p>
}

function Compose({ room }: { readonly room: Room }) {
  const [text, setText] = useState("")
  const [problem, setProblem] = useState("")
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() === "") return
    setText("")
    // resolves when the server has kept it, reconnects included
    room.publish("said", { text }).catch((error: Error) => setProblem(error.message))
  }
  return (
    <form onSubmit={send}>
      <input
        value={text}
        placeholder="Message"
        aria-label="Message"
        onChange={(event) => {
          setText(event.target.value)
          room.signal("typing", {})
        }}
      />
      <button type="submit">Send</button>
      {problem && <p className="note">{problem}</p>}
    </form>
  )
}

function Connection() {
  const { status, pending, reconnect } = useConnection()
  if (status === "open") return null
  return (
    <button type="button" className="offline" onClick={reconnect}>
      {status === "waiting" ? "Offline: try now" : "Connecting"} {pending > 0 && `(${pending} to send)`}
    </button>
  )
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <Chat />
  </StrictMode>,
)
