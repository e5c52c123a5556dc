import { expect, test } from 'vitest'
import { beyond, distance, seen, type Earned, type Limits } from './autonomy'

const every: Limits = { min_successes: 20, max_failure_bound: 0.05, certainty: 0.95, max_tier: 'medium' }
const restart: Earned = { earned: false, successes: 40, needed: 91, tier: 'medium', limits: every }

test.each<[Partial<Earned>, string]>([
  [{}, '51 more successes needed'],
  [{ successes: 90 }, '1 more success needed'],
  [{ successes: 91, earned: true }, 'earned'],
  [{ needed: null, tier: 'high' }, 'never: tier high, and medium is the highest it is earned for'],
  [{ needed: undefined, tier: 'high' }, 'never: tier high, and medium is the highest it is earned for'],
])('%j is told as "%s"', (change, said) => {
  expect(distance({ ...restart, ...change })).toBe(said)
})

test('what a policy asks for beyond the rest is told, and nothing else', () => {
  expect(beyond(every, every)).toBeUndefined()
  expect(beyond({ ...every, min_successes: 100 }, every)).toBe('at least 100 successes')
  expect(beyond({ ...every, max_failure_bound: 0.0125, max_tier: 'low' }, every))
    .toBe('a failure rate below 1.25 %, tier low at most')
})

test('what was seen is what the posterior holds beyond its prior', () => {
  const prior = { alpha: 1.5, beta: 8 }
  expect(seen({ alpha: 3.5, beta: 20 }, prior)).toEqual({ failures: 2, successes: 12 })
  expect(seen(prior, prior)).toEqual({ failures: 0, successes: 0 })
})
