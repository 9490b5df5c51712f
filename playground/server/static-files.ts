import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { extname, join, relative, sep } from "node:path"

interface StaticFile {
  readonly body: Buffer
  readonly type: string
  readonly etag: string
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
}

const HEADERS = {
  // Asked for again each time, answered with 304 as long as it is the same: a rebuild is seen at the next reload.
  "cache-control": "no-cache",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // Safari does not count WebSockets as 'self'.
  "content-security-policy":
    "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
}

/**
 * Serves the files of a folder, read once at the start: what a request asks for is looked up in a table, never on the
 * disk, so no path leads out of the folder.
 */
export function staticFiles(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  const files = readFiles(folder)
  return (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end()
      return
    }
    const file = files.get(pathOf(request.url ?? "/"))
    if (file === undefined) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("There is nothing here.\n")
      return
    }
    const headers = { ...HEADERS, etag: file.etag }
    if (request.headers["if-none-match"] === file.etag) {
      response.writeHead(304, headers).end()
      return
    }
    response.writeHead(200, { ...headers, "content-type": file.type, "content-length": file.body.length })
    response.end(request.method === "HEAD" ? undefined : file.body)
  }
}

function pathOf(url: string): string {
  const path = url.split("?", 1)[0] as string
  return path === "/" ? "/index.html" : path
}

function readFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const body = readFileSync(path)
    files.set(`/${relative(folder, path).split(sep).join("/")}`, {
      body,
      type: TYPES[extname(entry.name)] ?? "application/octet-stream",
      etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    })
  }
  return files
}
