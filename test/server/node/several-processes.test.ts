import { memoryLog } from "holdfast/server"
import { expect, test } from "vitest"
import { warnOfProcesses } from "../../../src/server/node/several-processes.ts"
import { recordingLogger } from "../support/hubs.ts"

test.each([
  [{}, false, 0],
  [{}, true, 1],
  [{ pm_id: "0", NODE_APP_INSTANCE: "0" }, false, 0],
  [{ pm_id: "1", NODE_APP_INSTANCE: "1" }, false, 1],
  [{ pm_id: "0", NODE_APP_INSTANCE: "0", instances: "2" }, true, 1],
  [{ pm_id: "0", NODE_APP_INSTANCE: "0", instances: "1" }, true, 0],
])("several processes with a log of their own each: %j, worker %s", (environment, isWorker, count) => {
  const logger = recordingLogger()
  warnOfProcesses(memoryLog(), logger, environment, isWorker)
  expect(logger.lines).toHaveLength(count)
  warnOfProcesses({ shared: true }, logger, environment, isWorker)
  expect(logger.lines).toHaveLength(count)
})
