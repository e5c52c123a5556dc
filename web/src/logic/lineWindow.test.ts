import { expect, test } from 'vitest'
import { lineAt, LINE_PX, tall, TALLEST_PX, topOf } from './lineWindow'

const few = { lines: 10, view: 400, wrap: false }
const some = { lines: 1_000, view: 400, wrap: false }
const many = { lines: 5_000_000, view: 400, wrap: false }

test('what fits does not scroll', () => {
  expect(tall(few)).toBe(400)
  expect(lineAt(few, 100)).toBe(0)
  expect(topOf(few, 5)).toBe(0)
})

test('lines of one height scroll as they lie', () => {
  expect(lineAt(some, 0)).toBe(0)
  expect(lineAt(some, 37 * LINE_PX)).toBeCloseTo(37)
  expect(lineAt(some, tall(some) - some.view)).toBeCloseTo(980)
})

test('wrapped, the last line can be brought to the top', () => {
  const wrapped = { ...some, wrap: true }
  expect(lineAt(wrapped, tall(wrapped) - wrapped.view)).toBeCloseTo(999)
})

test('more lines than a page is tall can all be reached', () => {
  expect(tall(many)).toBe(TALLEST_PX)
  expect(lineAt(many, TALLEST_PX - many.view)).toBeCloseTo(5_000_000 - 20)
})

test.each([some, many, { ...many, wrap: true }])('going to a line shows it: %j', (layout) => {
  for (const line of [0, 1, 500, layout.lines - 30]) expect(lineAt(layout, topOf(layout, line))).toBeCloseTo(line, 3)
})

test('beyond the ends there is nothing', () => {
  expect(lineAt(some, -50)).toBe(0)
  expect(topOf(some, 5_000)).toBe(tall(some) - some.view)
})
