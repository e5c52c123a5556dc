import { expect, test } from 'vitest'
import { stays } from './classes'

test.each<[Record<string, number>, string]>([
  [{}, ''],
  [{ too_young: 1200, in_use: 0 }, '1,200 too young'],
  [{ legal_hold: 1, some_day: 2 }, '1 under a legal hold, 2 some day'],
])('%j', (given, said) => {
  expect(stays(given)).toBe(said)
})
