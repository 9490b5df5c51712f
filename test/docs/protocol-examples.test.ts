import { describe, expect, test } from "vitest"
import { parseClientMessage } from "../../src/protocol/client-message.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { fromHex, toHex } from "../protocol/vectors.ts"
import { readPage } from "./markdown.ts"
import { clientMessages, complaintAbout, type MessageType, serverMessages } from "./message-types.ts"

const page = readPage("protocol.md")
const chapters = { client: "Messages from the client", server: "Messages from the server" } as const

const sides = ["client", "server"] as const
const declared: Readonly<Record<(typeof sides)[number], readonly MessageType[]>> = {
  client: clientMessages,
  server: serverMessages,
}

const examplesOf = (side: (typeof sides)[number]) => page.blocks.filter(({ info }) => info === `json ${side}`)

describe("the page of the protocol", () => {
  test("reads the declarations of all messages", () => {
    expect(clientMessages.map(({ type }) => type)).toContain("hello")
    expect(clientMessages).toHaveLength(13)
    expect(serverMessages.map(({ type }) => type)).toContain("ping")
    expect(serverMessages).toHaveLength(20)
  })

  test.each(examplesOf("client"))("has in line $line a message that a client may send", ({ text }) => {
    const decoded = json.decode(text)
    expect(parseClientMessage(decoded)).toBe(decoded)
    const fields = clientMessages.find(({ type }) => type === (decoded as { type: string }).type)!.fields
    expect(fields.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(decoded as object)))
  })

  test.each(examplesOf("server"))("has in line $line a message that a server may send", ({ text }) => {
    expect(complaintAbout(json.decode(text) as Record<string, unknown>)).toBeUndefined()
  })

  test("has no other kinds of blocks, which nobody would check", () => {
    expect(new Set(page.blocks.map(({ info }) => info))).toEqual(
      new Set(["json client", "json server", "msgpack", "play", "http request", "http response"]),
    )
  })

  test("has links that lead somewhere", () => {
    const anchors = page.sections.map(({ anchor }) => `#${anchor}`)
    for (const target of page.links.filter((link) => link.startsWith("#"))) expect(anchors).toContain(target)
  })
})

describe.each(sides)("among the messages from the %s", (side) => {
  const sections = page.sections.filter(
    ({ chapter, title }) => chapter === chapters[side] && title !== chapter,
  )

  test("each has its section, and nothing else has", () => {
    const titles = sections.map(({ title }) => title)
    expect(titles.toSorted()).toEqual(declared[side].map(({ type }) => `\`${type}\``).toSorted())
  })

  test.each(sections)("$title has a table of exactly its fields", ({ title, rows }) => {
    const { fields } = declared[side].find(({ type }) => `\`${type}\`` === title)!
    const listed = rows.slice(1).map(([name]) => name!)
    expect(listed).toEqual(fields.map(({ name, optional }) => `\`${name}${optional ? "?" : ""}\``))
  })

  test.each(sections)("$title has examples of it, in both codecs", (section) => {
    const blocks = page.blocks.filter((block) => block.section === section)
    expect(blocks.length).toBeGreaterThanOrEqual(2)
    for (let index = 0; index < blocks.length; index += 2) {
      const [text, bytes] = [blocks[index]!, blocks[index + 1]!]
      expect([text.info, bytes.info]).toEqual([`json ${side}`, "msgpack"])
      const message = json.decode(text.text) as { type: string }
      expect(section.title).toBe(`\`${message.type}\``)
      expect(toHex(msgpack.encode(message))).toBe(bytes.text.replaceAll("\n", ""))
      expect(msgpack.decode(fromHex(bytes.text))).toStrictEqual(message)
    }
  })
})

describe("the examples of values", () => {
  const rowsOf = (title: string) => page.sections.find((section) => section.title === title)!.rows.slice(1)
  const code = (cell: string) => cell.replaceAll("`", "")

  test.each(rowsOf("JSON").map(([what, text]) => [what!, code(text!)]))("%s in JSON", (_what, text) => {
    expect(json.encode(json.decode(text))).toBe(text)
  })

  test("say the right bytes", () => {
    expect(json.decode('{"$bytes":"AP8="}')).toEqual(new Uint8Array([0, 0xff]))
  })

  const values: Readonly<Record<string, unknown>> = { "the bytes 00 ff": new Uint8Array([0, 0xff]) }
  test.each(rowsOf("MessagePack").map(([what, hex]) => [code(what!), code(hex!)]))(
    "%s in MessagePack",
    (what, hex) => {
      expect(toHex(msgpack.encode(values[what] ?? JSON.parse(what)))).toBe(hex)
    },
  )
})
