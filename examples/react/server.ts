// The server of the chat: bundles the page, serves it, and takes its connections.  npx tsx examples/react/server.ts
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { createHub } from "holdfast/server"
import { app } from "./contract.ts"

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("./chat.tsx", import.meta.url))],
  bundle: true,
  format: "esm",
  jsx: "automatic",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  outdir: "/",
  write: false,
})
const bundled = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text
const html = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/chat.css">
  <title>Chat</title>
  <div id="root"></div>
  <script type="module" src="/chat.js"></script>
</html>`
const files: Readonly<Record<string, [type: string, text: string | undefined]>> = {
  "/": ["text/html", html],
  "/chat.js": ["text/javascript", bundled(".js")],
  "/chat.css": ["text/css", bundled(".css")],
}

const server = createServer((request, response) => {
  const [type, text] = files[new URL(request.url ?? "/", "http://localhost").pathname] ?? []
  if (type === undefined) response.writeHead(404).end("Not found")
  else response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(text)
})

const hub = createHub(app, {
  // The token is the name here; yours will be a session or a JWT.
  authenticate: ({ token }) => ({ name: token || "Anonymous" }),
  channels: {
    "room/:room": {
      subscribe: true,
      events: { said: ({ user, data }) => ({ text: data.text, by: user.name }) },
      presence: ({ user }) => ({ name: user.name }),
      signals: { typing: ({ data }) => data },
    },
  },
})
hub.attach(server)
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`The chat is at http://localhost:${(server.address() as AddressInfo).port}/?name=Ada`)
})

async function stop(): Promise<void> {
  await hub.close()
  server.close()
  server.closeAllConnections()
}
process.once("SIGTERM", stop)
process.once("SIGINT", stop)
