import { isPassing, tooOld, unavailable, unusable } from "./failure.ts"
import type { Session } from "./session.ts"

/** @throws HoldfastError when a log cannot be kept on the server with this INFO */
export function checkServer(info: string): void {
  const fields = new Map(info.split("\r\n").map((line) => line.split(":", 2) as [string, string]))
  const version = fields.get("redis_version") ?? "unknown"
  if (!(Number.parseInt(version, 10) >= 7)) throw tooOld(`has version ${version}`)
  if (fields.get("loading") === "1") throw unavailable("This Redis is still loading what it has on disk")
  if (fields.get("role") === "slave") throw unavailable("This Redis is a replica, which takes no entries")
  const policy = fields.get("maxmemory_policy") ?? "noeviction"
  // channels have an expiry, too, when all in them has an end
  if (policy !== "noeviction" && fields.get("maxmemory") !== "0")
    throw unusable(
      `This Redis throws away keys when it is full (maxmemory-policy ${policy}), and with them what was acknowledged. Set it to noeviction.`,
    )
}

/** Whether the server syncs its append-only file for each write. Where the user may not ask, it is not known. */
export async function syncsEachWrite(session: Session): Promise<boolean> {
  try {
    const answer = (await session.ask(["CONFIG", "GET", "appendfsync"])) as object
    return Object.values(answer).some((value) => String(value) === "always")
  } catch (error) {
    // a user without the permission does not know; a connection that was cut says nothing
    if (isPassing(error)) throw error
    return false
  }
}
