import { expect, test } from 'vitest'
import {
  autonomy, daily, dailyMean, daysOf, endings, heat, meanToResolve, openBySeverity, periodOf, secondsOf, tally,
  tellDays,
  type FindingDay,
} from './overview'

test.each([['7', 7], ['90', 90], [undefined, 30], ['31', 30], ['x', 30]] as const)('%s means %d days', (word, days) => {
  expect(periodOf(word)).toBe(days)
})

test('the days of a period end with today, in UTC, over the end of a year and a leap day', () => {
  expect(daysOf(3, Date.parse('2026-01-01T00:30:00Z'))).toEqual(['2025-12-30', '2025-12-31', '2026-01-01'])
  expect(daysOf(2, Date.parse('2024-03-01T23:59:59Z'))).toEqual(['2024-02-29', '2024-03-01'])
  expect(secondsOf('1970-01-02')).toBe(86_400)
})

test('open findings are counted by severity, every one of them', () => {
  const open = [
    { kind: 'drift', severity: 'high', count: 2 }, { kind: 'alert', severity: 'high', count: 5 },
    { kind: 'alert', severity: 'low', count: 1 }, { kind: 'cost', severity: 'low', count: 0 },
  ]
  expect(openBySeverity(open).map(({ severity, count }) => [severity, count])).toEqual([
    ['critical', 0], ['high', 7], ['medium', 0], ['low', 1],
  ])
  expect(openBySeverity(open)[1]?.kinds).toEqual([{ kind: 'alert', count: 5 }, { kind: 'drift', count: 2 }])
  expect(openBySeverity(open)[3]?.kinds).toEqual([{ kind: 'alert', count: 1 }])
})

const days = ['2026-03-01', '2026-03-02', '2026-03-03']
const rows: FindingDay[] = [
  { day: '2026-03-01', severity: 'critical', opened: 2, resolved: 1, mean_time_to_resolve_s: 100 },
  { day: '2026-03-01', severity: 'low', opened: 1, resolved: 0, mean_time_to_resolve_s: null },
  { day: '2026-03-03', severity: 'low', opened: 4, resolved: 3, mean_time_to_resolve_s: 20 },
  { day: '2026-02-01', severity: 'low', opened: 9, resolved: 0 },
  { day: '2026-03-02', severity: 'unheard of', opened: 9, resolved: 0 },
]

test('days without findings are there, and what is of no day of the period is not', () => {
  expect(daily(rows, days)).toEqual({ critical: [2, 0, 0], high: [0, 0, 0], medium: [0, 0, 0], low: [1, 0, 4] })
})

test('the mean time counts each finding once', () => {
  // (1 · 100 + 3 · 20) / 4
  expect(meanToResolve(rows)).toBe(40)
  expect(meanToResolve([])).toBeUndefined()
  expect(dailyMean(rows, days)).toEqual([100, null, 20])
})

test('the days are told in a sentence', () => {
  expect(tellDays(rows, days)).toBe('In 3 days 7 findings came up (2 critical, 5 low), the most on 2026-03-03: 4.')
  expect(tellDays([], days)).toBe('No finding came up in 3 days.')
})

const ended = [
  { verdict: 'allow', mode: 'auto', state: 'completed', count: 8 },
  { verdict: 'allow', mode: 'manual', state: 'completed', count: 2 },
  { verdict: 'allow', mode: 'manual', state: 'failed', count: 2 },
  { verdict: 'require_approval', mode: 'semi_auto', state: 'completed', count: 5 },
  { verdict: 'require_approval', mode: 'manual', state: 'rolled_back', count: 1 },
  { verdict: 'require_approval', mode: 'manual', state: 'rollback_failed', count: 1 },
  { verdict: 'deny', mode: 'manual', state: 'denied', count: 3 },
]

test('what was asked for by hand is counted there and nowhere else', () => {
  expect(autonomy(ended)).toEqual({ automatic: 8, approved: 5, manual: 6, other: 3 })
  expect(autonomy([])).toEqual({ automatic: 0, approved: 0, manual: 0, other: 0 })
})

test('what became of it is told in five ways', () => {
  expect(endings(ended)).toEqual({ worked: 15, failed: 2, undone: 1, stuck: 1, never: 3 })
})

test('the rows with the most come first, and how many are left out is said', () => {
  const counts = [
    { row: 'a', column: 'x', count: 1 }, { row: 'b', column: 'y', count: 5 }, { row: 'b', column: 'x', count: 2 },
    { row: 'b', column: 'x', count: 1 }, { row: 'c', column: 'x', count: 1 }, { row: 'd', column: 'z', count: 99 },
    { row: 'e', column: 'x', count: 0 },
  ]
  expect(heat(counts, ['x', 'y'], 2)).toEqual({
    rows: ['b', 'a'], columns: ['x', 'y'], cells: [[3, 5], [1, null]], left: 1,
  })
  expect(heat([], ['x'], 5)).toEqual({ rows: [], columns: ['x'], cells: [], left: 0 })
})

test.each([null, undefined, 7, 'x', [], {}])('%j holds no counts', (odd) => expect(tally(odd)).toEqual([]))

test('counts come in order, and what is no count does not come', () => {
  expect(tally({ a: 1, b: 3, c: 'x', d: 0, e: 3, f: null })).toEqual([
    { word: 'b', count: 3 }, { word: 'e', count: 3 }, { word: 'a', count: 1 },
  ])
})
