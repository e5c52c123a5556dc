import { expect, test } from 'vitest'
import { mayLoadAfresh } from './afresh'

test.each([
  [null, 1_000, true],
  ['1000', 1_001, false],
  ['1000', 600_999, false],
  ['1000', 601_000, true],
  // A clock that was set back loads nothing anew; what is no time was never kept by us.
  ['5000', 1_000, false],
  ['x', 1_000, true],
])('kept %j at %d: %j', (last, now, expected) => {
  expect(mayLoadAfresh(last, now)).toBe(expected)
})
