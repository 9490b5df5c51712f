import type { IncomingMessage } from "node:http"

/** The path of a request, without its query and without a slash at the end. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? "/"
  const query = url.indexOf("?")
  return normalPath(query === -1 ? url : url.slice(0, query))
}

export function normalPath(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
}
