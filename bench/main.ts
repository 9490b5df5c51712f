import { UsageError } from "./options.ts"

const benchmarks = {
  fanout: () => import("./fanout.ts"),
  memory: () => import("./memory.ts"),
  log: () => import("./log.ts"),
  recovery: () => import("./recovery.ts"),
  stalled: () => import("./stalled.ts"),
  cluster: () => import("./cluster.ts"),
  transports: () => import("./transports.ts"),
}

const [name = "", ...args] = process.argv.slice(2)

try {
  if (!Object.hasOwn(benchmarks, name)) {
    throw new UsageError(
      `npm run bench -- NAME [options], where NAME is one of: ${Object.keys(benchmarks).join(", ")}`,
    )
  }
  const { run } = await benchmarks[name as keyof typeof benchmarks]()
  await run(args)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
