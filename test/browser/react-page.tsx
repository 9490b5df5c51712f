import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { createHooks, useEvents, usePresence, useSignal, useStateMap, useStatus } from "holdfast/react"
import { type ReactNode, StrictMode, startTransition, useLayoutEffect, useState } from "react"
import { createRoot, hydrateRoot } from "react-dom/client"
import { z } from "zod/mini"

export const app = contract({
  "room/:room": channel({
    events: { said: z.string(), left: z.string() },
    state: { price: z.number() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
    keep: { events: 10 },
  }),
  "secret/:name": channel({ events: { said: z.string() } }),
})

export interface AppProps {
  readonly room?: string
  readonly history?: number
  /** Which parts are shown. */
  readonly parts: readonly string[]
  readonly name?: string | undefined
}

/** A page of hooks, as the test holds it. */
export interface ReactPage {
  /** How often each part was rendered. */
  readonly renders: Record<string, number>
  /** What listeners heard. */
  readonly heard: string[]
  /** Values that were on the page at the same time and should have been the same. */
  readonly torn: string[]
  readonly show: (props: AppProps) => void
  readonly hydrate: (props: AppProps) => void
  readonly unmount: () => void
  readonly say: (text: string) => Promise<unknown>
  readonly retry: () => void
}

declare global {
  interface Window {
    reactPage: ReactPage
  }
}

/** What happens in the page; on the server nothing does. */
const page = {
  renders: {} as Record<string, number>,
  heard: [] as string[],
  torn: [] as string[],
  connects: 0,
  say: async (_text: string): Promise<unknown> => undefined,
  retry: () => {},
}
export const connects = () => page.connects

const { HoldfastProvider, useChannel, useConnection } = createHooks(
  () => {
    page.connects++
    const client = connect<typeof app>("/holdfast", { backoff: { minMs: 10, maxMs: 50 } })
    // that the line is cut is what some tests are about
    client.on("error", () => {})
    return client
  },
  { lingerMs: 300 },
)

type Room = ReturnType<typeof useChannel<"room/:room">>

/** Shows a value as JSON where the test finds it. */
function Part({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  page.renders[name] = (page.renders[name] ?? 0) + 1
  return <pre id={name}>{JSON.stringify(value instanceof Map ? [...value] : value)}</pre>
}

const parts: Record<
  string,
  (props: { readonly room: Room; readonly name: string | undefined }) => ReactNode
> = {
  events: ({ room }) => (
    <Part
      name="events"
      value={useEvents(room, "said").map(({ data, gap }) => (gap ? `(gap) ${data}` : data))}
    />
  ),
  last: ({ room }) => (
    <Part
      name="last"
      value={useEvents(room, ["said", "left"], { last: 2 }).map(({ name, data }) => [name, data])}
    />
  ),
  heard: ({ room }) => {
    useEvents(room, "said", ({ data }) => void page.heard.push(data))
    return <Part name="heard" value={undefined} />
  },
  prices: ({ room }) => <Part name="prices" value={useStateMap(room, "price")} />,
  aapl: ({ room }) => <Part name="aapl" value={useStateMap(room, "price", "AAPL") ?? null} />,
  msft: ({ room }) => <Part name="msft" value={useStateMap(room, "price", "MSFT") ?? null} />,
  members: ({ room, name }) => (
    <Part
      name="members"
      value={[...usePresence(room, name === undefined ? undefined : { name }).values()].map(
        ({ name }) => name,
      )}
    />
  ),
  typing: ({ room }) => <Part name="typing" value={useSignal(room, "typing", { forMs: 500 })} />,
  status: ({ room }) => {
    const { status, error, gap } = useStatus(room)
    return <Part name="status" value={{ status, error: error?.code, gap: gap?.reason }} />
  },
  connection: () => <Part name="connection" value={useConnection().status} />,
  slow: ({ room }) => <Slow room={room} />,
  secret: () => {
    const secret = useChannel("secret/:name", { name: "one" })
    const { status, error } = useStatus(secret)
    const events = useEvents(secret, "said")
    page.retry = secret.retry
    return <Part name="secret" value={{ status, error: error?.code, events: events.length }} />
  },
}

/** Takes so long to render that React makes pauses in between, in which the price changes. */
function Slow({ room }: { readonly room: Room }): ReactNode {
  const [round, setRound] = useState(0)
  useLayoutEffect(() => {
    const shown = [...document.querySelectorAll(".slow")].map(({ textContent }) => textContent)
    if (new Set(shown).size > 1) page.torn.push(`${shown}`)
    if (round < 10) startTransition(() => setRound(round + 1))
  }, [round])
  return (
    <>
      <Part name="slow" value={round} />
      {Array.from({ length: 10 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <SlowPrice key={index} room={room} />
      ))}
    </>
  )
}

function SlowPrice({ room }: { readonly room: Room }): ReactNode {
  const price = useStateMap(room, "price", "AAPL")
  const until = performance.now() + 1
  while (performance.now() < until);
  return <i className="slow">{price}</i>
}

export function App({ room: name = "lobby", history = 10, parts: shown, name: member }: AppProps): ReactNode {
  const room = useChannel("room/:room", { room: name }, { history: { last: history } })
  page.say = (text) => room.publish("said", text)
  return shown.map((key) => {
    const Shown = parts[key]
    return Shown && <Shown key={key} room={room} name={member} />
  })
}

// the test imports the contract, and renders on the server, from here too
if (typeof window === "object") {
  const container = () => document.getElementById("root") as HTMLElement
  const strict = (props: AppProps) => (
    <StrictMode>
      {location.search === "?provider" ? (
        <HoldfastProvider connect={() => connect<typeof app>("/holdfast")}>
          <App {...props} />
        </HoldfastProvider>
      ) : (
        <App {...props} />
      )}
    </StrictMode>
  )
  let root: ReturnType<typeof createRoot> | undefined
  window.reactPage = Object.assign(page, {
    show: (props: AppProps) => {
      root ??= createRoot(container())
      root.render(strict(props))
    },
    hydrate: (props: AppProps) => {
      root = hydrateRoot(container(), strict(props))
    },
    unmount: () => {
      root?.unmount()
      root = undefined
    },
  })
}
