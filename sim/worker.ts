import { type Job, perform } from "./job.ts"

// A process of the pool: performs one job after the other, and ends with the one that started it.
process.on("message", (job: Job) => {
  void perform(job).then((outcome) => process.send?.(outcome))
})
process.on("disconnect", () => process.exit())
