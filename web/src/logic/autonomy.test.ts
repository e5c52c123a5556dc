import { expect, test } from 'vitest'
import { ARF_1, failureBound, newest, seen, standing, successesNeeded, type Evidence } from './autonomy'

const limits = ARF_1.autonomy

// The numbers that crates/judge/src/autonomy.rs names and tests.
test.each([[0, 58], [1, 91], [2, 121]])('beside %d failures %d successes are needed', (failures, needed) => {
  expect(successesNeeded(failures, limits)).toBe(needed)
  expect(failureBound({ successes: needed, failures }, limits)).toBeLessThanOrEqual(0.05)
  expect(failureBound({ successes: needed - 1, failures }, limits)).toBeGreaterThan(0.05)
})

test('a loose bound still asks for the least number of successes', () => {
  expect(successesNeeded(0, { ...limits, maxFailureBound: 0.5 })).toBe(20)
})

test('what is missing counts down to nought and no further', () => {
  expect(standing({ successes: 40, failures: 1 }, limits)).toMatchObject({ needed: 91, missing: 51, earned: false })
  expect(standing({ successes: 58, failures: 0 }, limits)).toMatchObject({ missing: 0, earned: true })
  expect(standing({ successes: 500, failures: 0 }, limits)).toMatchObject({ missing: 0, earned: true })
})

test('nothing seen is a bound near one', () => {
  expect(standing({ successes: 0, failures: 0 }, limits).bound).toBeCloseTo(0.95, 9)
})

test('what was seen is what the posterior holds beyond its prior', () => {
  const prior = { alpha: 1.5, beta: 8 }
  expect(seen({ alpha: 3.5, beta: 20 }, prior)).toEqual({ failures: 2, successes: 12 })
  expect(seen(prior, prior)).toEqual({ failures: 0, successes: 0 })
})

test('of several decisions the newest word on an action counts', () => {
  const of = (action: string, environment: string, successes: number): Evidence =>
    ({ category: 'compute', action, environment, successes, failures: 0 })
  const found = newest([[of('b', 'prod', 7)], [of('b', 'prod', 3), of('a', 'dev', 1)]])
  expect(found.map((one) => [one.action, one.successes])).toEqual([['a', 1], ['b', 7]])
})
