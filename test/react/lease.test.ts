import { expect, test } from "vitest"
import { Lease } from "../../src/react/lease.ts"

function leased() {
  const ended: number[] = []
  let made = 0
  let due: (() => void) | undefined
  const lease = new Lease<number>({
    make: () => ++made,
    end: (held) => ended.push(held),
    later: (task) => {
      due = task
      return () => {
        due = undefined
      }
    },
  })
  const pass = () => due?.()
  return { lease, ended, pass }
}

test("it is made for the first user, and ended some time after the last", () => {
  const { lease, ended, pass } = leased()
  expect(lease.current).toBeUndefined()
  const [first, releaseFirst] = lease.use()
  const [second, releaseSecond] = lease.use()
  expect([first, second]).toEqual([1, 1])
  releaseFirst()
  pass()
  expect(ended).toEqual([])
  releaseSecond()
  expect([ended, lease.current]).toEqual([[], 1])
  pass()
  expect([ended, lease.current]).toEqual([[1], undefined])
})

test("who comes back in time finds it", () => {
  const { lease, ended, pass } = leased()
  const [, release] = lease.use()
  release()
  const [again, releaseAgain] = lease.use()
  pass()
  expect([again, ended]).toEqual([1, []])
  releaseAgain()
  pass()
  expect(lease.use()[0]).toBe(2)
})

test("to release it twice is to release it once", () => {
  const { lease, ended, pass } = leased()
  const [, release] = lease.use()
  lease.use()
  release()
  release()
  pass()
  expect(ended).toEqual([])
})
