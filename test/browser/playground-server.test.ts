import { request } from "node:http"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type PlaygroundProcess, startInVain, startPlayground } from "./playground-process.ts"

/** A path as it is: `fetch` would resolve the dots before it asks. */
function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, path, host: "127.0.0.1" }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on("error", reject)
      .end()
  })
}

describe("the playground's server", () => {
  let playground: PlaygroundProcess

  beforeAll(async () => {
    playground = await startPlayground()
  })

  afterAll(async () => {
    await playground.end("SIGKILL")
  })

  it("serves the page and what it needs, each with its type", async () => {
    for (const [path, type] of [
      ["/", "text/html; charset=utf-8"],
      ["/main.js", "text/javascript; charset=utf-8"],
      ["/style.css", "text/css; charset=utf-8"],
      ["/icon.svg", "image/svg+xml"],
    ]) {
      const response = await fetch(playground.url + path)
      expect([path, response.status, response.headers.get("content-type")]).toEqual([path, 200, type])
      await response.arrayBuffer()
    }
  })

  it("says that what the browser has is still the same", async () => {
    const first = await fetch(playground.url)
    const etag = first.headers.get("etag") ?? ""
    expect(first.headers.get("cache-control")).toBe("no-cache")
    expect((await fetch(playground.url, { headers: { "if-none-match": etag } })).status).toBe(304)
    expect((await fetch(playground.url, { headers: { "if-none-match": '"another"' } })).status).toBe(200)
  })

  it("gives nothing away that lies outside of the page", async () => {
    for (const path of [
      "/../server.js",
      "/..%2fserver.js",
      "/%2e%2e/server.js",
      "//etc/passwd",
      "/./../server.js",
      "/%",
    ]) {
      expect([path, await statusOf(playground.port, path)]).toEqual([path, 404])
    }
  })

  it("takes nothing but reads", async () => {
    expect((await fetch(playground.url, { method: "POST", body: "x" })).status).toBe(405)
  })

  it("says what to do when the port is in use", async () => {
    const { code, output } = await startInVain(playground.port)
    expect(code).toBe(1)
    expect(output).toContain(`Port ${playground.port} is in use. Choose another one: PORT=`)
  })

  it("says what is wrong with a port that is none", async () => {
    const { code, output } = await startInVain(Number.NaN)
    expect(code).toBe(1)
    expect(output).toContain("PORT=NaN is no number from 0 to 65535.")
  })

  it.each([
    [["--workers", "2"], "--redis"],
    [["--workers", "none"], "--workers none"],
    [["--fast"], "--spread-ms"],
    [["--spread-ms", "soon"], "--spread-ms soon is no number"],
  ])("says what can be said to it, when it is told %j", async (args, hint) => {
    const { code, output } = await startInVain(0, undefined, args)
    expect(code).toBe(1)
    expect(output).toContain(hint)
    expect(output).toContain("npm start -- [--redis URL]")
  })

  it("says what can be said to it, when it is asked", async () => {
    const { code, output } = await startInVain(0, undefined, ["--help"])
    expect(code).toBe(0)
    expect(output).toContain("npm start -- [--redis URL]")
  })

  it("says what a URL of a Redis looks like", async () => {
    const { code, output } = await startInVain(0, undefined, ["--redis", "localhost:6379"])
    expect(code).toBe(1)
    expect(output).toMatch(/^This is no URL of a Redis. It looks like redis:.*\n$/)
  })

  it("waits for a Redis that is not there", async () => {
    const other = await startPlayground(0, undefined, ["--redis", "redis://127.0.0.1:1"])
    await expect.poll(() => other.complaints()).toContain("ECONNREFUSED")
    await expect.poll(() => other.complaints()).toContain("trying again")
    const response = await fetch(`${other.url}/readyz`)
    expect(await response.json()).toMatchObject({ ready: false, reasons: [{ code: "log_unavailable" }] })
    expect(await other.end("SIGKILL")).toBe(null)
  })

  it.each(["SIGINT", "SIGTERM"] as const)("closes in good order on %s", async (signal) => {
    const other = await startPlayground()
    expect(await other.end(signal)).toBe(0)
  })
})
