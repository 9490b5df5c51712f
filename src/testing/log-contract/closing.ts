import { assertEqual, assertRejects } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { FACTS, fact, KEYS, keepAll, numbers, put, textsOf } from "./operations.ts"
import { readPage } from "./pages.ts"
import { append, recorder } from "./recorder.ts"
import { watch } from "./watcher.ts"

export function closingChecks(check: Check): LogCheck[] {
  return [
    check("close waits for the appends that are under way", async (log) => {
      let settled = 0
      const count = () => {
        settled++
      }
      const appends = numbers(50).map((text) => append(log, "a", fact(text)).then(count, count))
      await log.close()
      await Promise.resolve()
      assertEqual(settled, appends.length, "how many appends had settled when it was closed")
    }),

    check("a closed log does nothing any more, and closing it again changes nothing", async (log) => {
      await recorder(log, "a").all([fact("1"), put("k")])
      await log.close()
      await log.close()
      const back = { collection: FACTS, before: 9, entriesMax: 9, bytesMax: 9 }
      const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["append", () => append(log, "a", fact("2"))],
        ["head", () => log.head("a")],
        ["read", () => readPage(log, "a")],
        ["readBack", () => log.readBack("a", back)],
        ["find", () => log.find("a", KEYS, "k")],
        ["offsetOfLast", () => log.offsetOfLast("a", FACTS, 1)],
        ["watch", () => log.watch("a", () => undefined)],
        ["trim", () => log.trim("a", { [FACTS]: keepAll }, 0)],
      ]
      for (const [name, call] of calls) await assertRejects(call(), "closed", name)
    }),

    check("a closed log calls no watcher any more", async (log) => {
      const watcher = await watch(log, "a")
      await watcher.until(await recorder(log, "a").one(fact("1")))
      await log.close()
      await append(log, "a", fact("2")).catch(() => undefined)
      assertEqual(textsOf(watcher.entries), ["1"], "what arrived")
    }),
  ]
}
