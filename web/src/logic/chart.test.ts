import { expect, test } from 'vitest'
import { percent, sample, short, stacked, step, timeLabels } from './chart'

test('series stand on those before them', () => {
  expect(stacked([[1, 2, null], [3, null, null], [null, 4, 5]])).toEqual([
    [1, 2, null],
    [4, 2, null],
    [4, 6, 5],
  ])
})

test('stacking leaves what it is given as it is', () => {
  const given = [[1], [2]]
  stacked(given)
  expect(given).toEqual([[1], [2]])
})

test('the step is the smallest gap', () => {
  expect(step([0, 10, 13, 20])).toBe(3)
  expect(step([5])).toBe(1)
  expect(step([5], 86_400)).toBe(86_400)
  expect(step([5, 5], 7)).toBe(7)
})

test('ticks of days tell the day, and the year where it changes', () => {
  const at = (text: string) => Date.parse(text) / 1_000
  const days = ['2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02'].map((day) => at(`${day}T00:00:00Z`))
  expect(timeLabels(days, 86_400, 'utc')).toEqual(['Dec 30', 'Dec 31', '2026', 'Jan 2'])
})

test('ticks within a day tell the time, and the day where it begins', () => {
  const at = (text: string) => Date.parse(`${text}:00Z`) / 1_000
  const hours = ['2026-03-01T12:00', '2026-03-01T18:00', '2026-03-02T00:00', '2026-03-02T06:00'].map(at)
  expect(timeLabels(hours, 21_600, 'utc')).toEqual(['Mar 1', '18:00', 'Mar 2', '06:00'])
  expect(timeLabels([at('2026-03-01T12:00'), at('2026-03-01T12:10')], 600, 'utc')).toEqual(['12:00', '12:10'])
})

test.each([
  [0, '0'], [3, '3'], [0.0341, '0.0341'], [12.52, '12.5'], [1_234, '1,234'],
  [1_234_000, '1.2M'], [123.4, '123'], [-2, '-2'],
])('%d is written as %s', (value, text) => expect(short(value)).toBe(text))

test.each([
  [0, '0 %'], [0.034, '3.4 %'], [0.5, '50 %'], [1, '100 %'], [0.9996, '99.9 %'], [0.00001, '< 0.1 %'], [0.05, '5 %'],
])('the share %d is written as %s', (share, text) => expect(percent(share)).toBe(text))

test('samples are even and keep the ends', () => {
  expect(sample(3, 5)).toEqual([0, 1, 2])
  expect(sample(101, 5)).toEqual([0, 25, 50, 75, 100])
  expect(sample(0, 5)).toEqual([])
  expect(sample(9, 1)).toEqual([0])
})
