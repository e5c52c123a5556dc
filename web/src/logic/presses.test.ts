import { expect, test } from 'vitest'
import { presses } from './presses'

/** An element below those that these selectors mean. */
const below = (...meant: string[]) => ({
  closest: (selector: string) => (selector.split(', ').some((one) => meant.includes(one)) ? {} : null),
})

test.each([
  ['Enter', below('button'), true],
  [' ', below('summary'), true],
  ['Enter', below('a[href]'), true],
  ['Enter', below('[role="menuitem"]'), true],
  ['Enter', below('main'), false],
  ['Enter', null, false],
  ['j', below('button'), false],
])('%j on %o presses it: %j', (key, on, expected) => {
  expect(presses(key, on)).toBe(expected)
})
