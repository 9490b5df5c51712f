import { run } from "./run.ts"

const from = Number(process.argv[2] ?? 1),
  to = Number(process.argv[3] ?? from)
const verbose = process.argv.includes("-v")
process.on("unhandledRejection", (e) => {
  console.log("UNHANDLED", e)
  process.exitCode = 1
})
const t = performance.now()
let bad = 0
const kinds = new Map<string, number[]>()
for (let seed = from; seed <= to; seed++) {
  const s = performance.now()
  const o = await run({ seed, ...(verbose && { print: (l: string) => console.log(l) }) })
  const ms = performance.now() - s
  if (o.violations.length) {
    bad++
    for (const v of o.violations) {
      const k = v.split(":")[0]!
      const l = kinds.get(k) ?? []
      if (l.at(-1) !== seed) l.push(seed)
      kinds.set(k, l)
    }
  }
  if (to - from < 30)
    console.log(seed, o.hash, `${ms.toFixed(0)}ms`, JSON.stringify(o.counts), o.violations.slice(0, 5))
}
console.log(bad, "bad of", to - from + 1, ((performance.now() - t) / (to - from + 1)).toFixed(1), "ms each")
for (const [k, l] of kinds) console.log(k.padEnd(20), l.length, l.slice(0, 12).join(" "))
