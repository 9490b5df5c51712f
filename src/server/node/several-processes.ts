import cluster from "node:cluster"
import type { Logger } from "../../hub/ports/logger.ts"

const WARNING =
  "this process seems to be one of several, and its log is its own: clients of one process do not hear those of another; use a log that they share, such as redisLog"

/** What the environment says of who started this process, and how often. */
interface Environment {
  readonly NODE_APP_INSTANCE?: string
  readonly pm_id?: string
  readonly instances?: string
}

/** Warns when the environment shows that several processes run this program, and each would have a log of its own. */
export function warnOfProcesses(
  log: { readonly shared?: boolean },
  logger: Logger,
  environment: Environment = process.env,
  isWorker = cluster.isWorker,
): void {
  if (log.shared === true || !isOneOfSeveral(environment, isWorker)) return
  const { NODE_APP_INSTANCE: instance, pm_id: pmId } = environment
  logger.warn(WARNING, { pid: process.pid, isWorker, instance, pmId })
}

/** PM2 sets `instances` and, from 0 on, NODE_APP_INSTANCE; its cluster mode, and that of Node, makes workers. */
function isOneOfSeveral(
  { NODE_APP_INSTANCE: instance, pm_id: pmId, instances }: Environment,
  isWorker: boolean,
): boolean {
  const isOfPm2 = pmId !== undefined || instance !== undefined
  if (isOfPm2 && instances !== undefined) return instances !== "1"
  return isWorker || Number(instance ?? 0) > 0
}
