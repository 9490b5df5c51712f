import { createServer, type Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { redisLog } from "../../src/logs/redis/index.ts"

/** A server that answers each command with what stands in the table, and others with OK. Returns its URL. */
async function fakeServer(answers: Readonly<Record<string, string>>): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    socket.on("data", (chunk) => {
      // commands come whole here: *2\r\n$4\r\nINFO\r\n…
      for (const [, command = ""] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        socket.write(answers[command.toUpperCase()] ?? "+OK\r\n")
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`

test.each([
  ["6.2", { HELLO: "%1\r\n$5\r\nproto\r\n:3\r\n", INFO: bulk("redis_version:6.2.14\r\nrole:master\r\n") }],
  ["5", { HELLO: "-ERR unknown command `HELLO`, with args beginning with: `3`\r\n" }],
])("a Redis %s is refused at once, with what is needed", async (_, answers) => {
  const problems: unknown[] = []
  const log = redisLog(await fakeServer(answers), {
    waitMs: 50_000,
    onError: (error) => problems.push(error),
  })
  onTestFinished(() => log.close())
  const refused = { code: "log_unusable", message: expect.stringContaining("Redis 7") }
  await expect(log.head("a")).rejects.toMatchObject(refused)
  await expect(log.watch("a", () => undefined)).rejects.toMatchObject(refused)
  expect(problems).toMatchObject([refused])
})
