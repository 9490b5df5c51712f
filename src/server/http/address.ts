/** The path of a request's URL, without its query and without a slash at the end. */
export function pathOf(url: string): string {
  const start = pathStart(url)
  const mark = url.indexOf("?", start)
  return normalPath(mark === -1 ? url.slice(start) : url.slice(start, mark))
}

/** The parameters in a request's URL. */
export function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf("?")
  return new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1))
}

export function normalPath(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
}

/** Where the path begins: behind scheme and host in the absolute form, which servers have to take too (RFC 9112 3.2.2). */
function pathStart(url: string): number {
  const [origin = ""] = /^https?:\/\/[^/?#]*/i.exec(url) ?? []
  return origin.length
}
