import { type ConnectOptions, connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import { afterEach, describe, expect, test, vi } from "vitest"
import { app } from "../client/rig.ts"

const lobby = { room: "lobby" }
const closing: (() => unknown)[] = []

afterEach(async () => {
  vi.unstubAllGlobals()
  for (const close of closing.splice(0).reverse()) await close()
})

async function start() {
  const hub = createHub(app, {
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data, moved: ({ data }) => data },
      },
    },
  })
  closing.push(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const client = (options: ConnectOptions) => {
    const made = connect<typeof app>(url, { backoff: { minMs: 1, maxMs: 20 }, ...options })
    closing.push(made.close)
    return made
  }
  return { client, server: hub.channel("room/:room", lobby) }
}

const until = (check: () => unknown) => expect.poll(() => Boolean(check())).toBe(true)

/** Somebody on the way answers the first so many requests to this address. */
function answerInstead(address: string, times: number, answer: () => Response) {
  const real = fetch
  let left = times
  vi.stubGlobal("fetch", (url: string, init: RequestInit) =>
    url.endsWith(`/${address}`) && left-- > 0 ? Promise.resolve(answer()) : real(url, init),
  )
}

describe.each(["sse", "poll"] as const)("by %s", (name) => {
  test("text comes with whatever would end a line elsewhere", async () => {
    const { client } = await start()
    const room = client({ transports: [name] }).channel("room/:room", lobby)
    const heard: string[] = []
    room.on("said", ({ text }) => heard.push(text))
    await room.ready()
    const texts = ["a\u2028b", "a\u2029data: b", "a\u0085b\vc\fd", "a\r\n\r\nb\rc", "\ufeffa"]
    for (const text of texts) await room.publish("said", { text })
    await until(() => heard.length === texts.length)
    expect(heard).toEqual(texts)
  })

  test.each([
    ["502 of a gateway", 502],
    ["400 without a code", 400],
    ["page of a captive portal", 200],
  ])("a publish is sent again after a %s", async (_, status) => {
    const { client, server } = await start()
    const room = client({ transports: [name] }).channel("room/:room", lobby)
    await room.ready()
    answerInstead("send", 2, () => new Response("<html>No</html>", { status }))
    await room.publish("said", { text: "hello" })
    expect(await server.history({ last: 5 })).toHaveLength(1)
  })

  test("the page of a captive portal instead of an answer is an error that says what is wrong", async () => {
    const { client } = await start()
    answerInstead(name === "sse" ? "events" : "poll", 1, () => new Response("<html>Log in</html>"))
    const ada = client({ transports: [name] })
    const errors: unknown[] = []
    ada.on("error", (error) => errors.push(error))
    await ada.channel("room/:room", lobby).ready()
    const message = expect.stringMatching(name === "sse" ? /: 1006 The stream ended$/ : /: 1006 .*JSON/)
    expect(errors).toMatchObject([{ code: "connection_lost", message }])
  })

  test("a message that is too large for somebody on the way is refused with a code", async () => {
    const { client, server } = await start()
    const room = client({ transports: [name] }).channel("room/:room", lobby)
    await room.ready()
    // both at once, and then each by itself
    answerInstead("send", 2, () => new Response("<html>Too large</html>", { status: 413 }))
    const [large, small] = await Promise.allSettled([
      room.publish("said", { text: "large" }),
      room.publish("said", { text: "small" }),
    ])
    expect(large).toMatchObject({ reason: { code: "message_too_large", message: "413" } })
    expect(small.status).toBe("fulfilled")
    expect(await server.history({ last: 5 })).toHaveLength(1)
  })
})

test("a poll that asks whether the server is there is answered at once, also when it is asked in a listener", async () => {
  const { client, server } = await start()
  let wake = () => {}
  const device = ({ onChange }: { readonly onChange: () => void }) => {
    wake = onChange
    return () => {}
  }
  const ada = client({ transports: ["poll"], device })
  const room = ada.channel("room/:room", lobby)
  await room.ready()
  const aborted = vi.fn()
  const answered = vi.fn()
  const real = fetch
  room.on("moved", () => {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const answer = real(url, init)
      answer.then(answered, aborted)
      return answer
    })
    wake()
  })
  await server.publish("moved", 1)
  await until(() => answered.mock.calls.length > 0)
  expect(aborted).not.toHaveBeenCalled()
})
