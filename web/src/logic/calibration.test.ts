import { expect, test } from 'vitest'
import { fit, furthest, ticks } from './calibration'

const bin = (predicted: number, lower: number, upper: number, n = 10) =>
  ({ n, predicted, lower, upper, observed: (lower + upper) / 2 })

test.each([
  [[], 0.1],
  [[bin(0.08, 0, 0.1)], 0.1],
  [[bin(0.08, 0, 0.11)], 0.2],
  [[bin(0.35, 0, 0.3)], 0.4],
  [[bin(0.5, 0.2, 1)], 1],
])('axes end beyond all there is: %#', (bins, end) => {
  expect(furthest(bins)).toBe(end)
})

test.each([
  [0.1, [0, 0.02, 0.04, 0.06, 0.08, 0.1]],
  [0.2, [0, 0.05, 0.1, 0.15, 0.2]],
  [0.4, [0, 0.1, 0.2, 0.3, 0.4]],
  [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
])('ticks up to %d', (end, expected) => {
  expect(ticks(end)).toEqual(expected)
})

test('what lies outside of the interval is told, in both directions', () => {
  expect(fit([])).toBe('')
  expect(fit([bin(0.1, 0.05, 0.2)])).toContain('agrees')
  expect(fit([bin(0.1, 0.15, 0.3), bin(0.4, 0.3, 0.5)])).toBe('In 1 of 2 stretches more failed than was predicted.')
  expect(fit([bin(0.1, 0.15, 0.3), bin(0.4, 0.1, 0.3)])).toBe(
    'In 1 of 2 stretches more failed than was predicted, and in 1 of 2 stretches fewer failed than was predicted.',
  )
  expect(fit([bin(0.1, 0.15, 0.3, 0)])).toBe('')
})
