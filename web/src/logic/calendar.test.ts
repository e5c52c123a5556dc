import { expect, test } from 'vitest'
import {
  DAY, activeUntil, boundsOf, lanes, monthOf, monthsOn, nextAfter, occurrences, passed, reached, ruleOf, wallOf,
  weekOf, within, type Recurring, type Rule,
} from './calendar'

type More = Partial<Recurring>

const window = (recurrence: string, start: string, end: string, zone: string, more: More = {}): Recurring => ({
  kind: 'deny', start_time: start, end_time: end, timezone: zone, recurrence, recurrence_pattern: null, ...more,
})

function rule(given: Recurring): Rule {
  const found = ruleOf(given)
  if (!found) throw new Error('must be a window')
  return found
}

const until = (of: Rule, at: string) => {
  const found = activeUntil(of, Date.parse(at))
  return found === undefined ? null : new Date(found).toISOString().replace('.000', '')
}

test.each([
  // 29 March 2026 the clock skips 02:00 to 03:00; 25 October it comes twice.
  ['2026-01-10T20:59:59Z', null],
  ['2026-01-10T21:00:00Z', '2026-01-11T05:00:00Z'],
  ['2026-01-11T05:00:00Z', null],
  ['2026-03-28T21:00:00Z', '2026-03-29T04:00:00Z'],
  ['2026-03-29T04:00:00Z', null],
  ['2026-10-24T19:59:59Z', null],
  ['2026-10-24T20:00:00Z', '2026-10-25T05:00:00Z'],
  ['2026-10-25T05:00:00Z', null],
])('a night of Berlin at %s', (at, end) => {
  expect(until(rule(window('daily', '2026-01-01T22:00:00', '2026-01-02T06:00:00', 'Europe/Berlin')), at)).toBe(end)
})

test.each([
  ['2026-03-08T02:59:59Z', null],
  ['2026-03-08T03:00:00Z', '2026-03-08T10:00:00Z'],
  ['2026-11-01T02:00:00Z', '2026-11-01T11:00:00Z'],
  ['2026-11-01T11:00:00Z', null],
])('a night of New York at %s', (at, end) => {
  expect(until(rule(window('daily', '2026-01-01T22:00:00', '2026-01-02T06:00:00', 'America/New_York')), at)).toBe(end)
})

test('inside the repeated hour a denying window takes both readings, an allowing one neither', () => {
  const given = window('daily', '2026-01-01T02:30:00', '2026-01-01T02:45:00', 'Europe/Berlin')
  expect(until(rule(given), '2026-10-25T00:29:00Z')).toBeNull()
  expect(until(rule(given), '2026-10-25T01:10:00Z')).toBe('2026-10-25T01:45:00Z')
  expect(until(rule(given), '2026-03-29T01:00:00Z')).toBeNull()
  const allowing = rule({ ...given, kind: 'allow_only' })
  expect(until(allowing, '2026-10-25T00:31:00Z')).toBeNull()
  expect(until(allowing, '2026-10-25T01:31:00Z')).toBeNull()
  expect(until(allowing, '2026-10-24T00:31:00Z')).toBe('2026-10-24T00:45:00Z')
})

test('half an hour of change: Lord Howe', () => {
  const zone = 'Australia/Lord_Howe'
  const at = (text: string) => wallOf(text) ?? 0
  // 4 October 2026: 02:00 becomes 02:30, at 15:30 UTC of the day before.
  expect(reached(zone, at('2026-10-04T02:10:00'))).toBe(Date.parse('2026-10-03T15:30:00Z'))
  expect(passed(zone, at('2026-10-04T02:10:00'))).toBe(Date.parse('2026-10-03T15:30:00Z'))
  // 5 April 2026: 02:00 becomes 01:30, at 15:00 UTC of the day before.
  expect(reached(zone, at('2026-04-05T01:40:00'))).toBe(Date.parse('2026-04-04T14:40:00Z'))
  expect(passed(zone, at('2026-04-05T01:40:00'))).toBe(Date.parse('2026-04-04T15:10:00Z'))
})

test.each([
  ['2026-01-09T23:30:00Z', '2026-01-10T01:00:00Z'],
  ['2026-01-10T23:30:00Z', null],
  ['2026-01-11T23:30:00Z', '2026-01-12T01:00:00Z'],
  ['2025-12-26T23:30:00Z', null],
])('weekly windows on their days, at %s', (at, end) => {
  const weekend = window('weekly', '2026-01-02T23:00:00', '2026-01-03T01:00:00', 'UTC', {
    recurrence_pattern: { days_of_week: ['fri', 'Sunday'] },
  })
  expect(until(rule(weekend), at)).toBe(end)
})

test('monthly windows count from both ends of a month', () => {
  const given = rule(window('monthly', '2026-01-31T23:00:00', '2026-02-01T02:00:00', 'UTC', {
    recurrence_pattern: { days_of_month: [15, -1] },
  }))
  expect(until(given, '2026-02-28T23:30:00Z')).toBe('2026-03-01T02:00:00Z')
  expect(until(given, '2026-03-15T23:30:00Z')).toBe('2026-03-16T02:00:00Z')
  expect(until(given, '2026-03-30T23:30:00Z')).toBeNull()
  expect(nextAfter(given, Date.parse('2026-02-20T00:00:00Z'))).toBe(Date.parse('2026-02-28T23:00:00Z'))
})

test('a window without recurrence is there once', () => {
  const once = rule(window('none', '2026-05-01T08:00:00', '2026-05-03T08:00:00', 'Asia/Tokyo'))
  expect(until(once, '2026-04-30T23:00:00Z')).toBe('2026-05-02T23:00:00Z')
  expect(until(once, '2026-05-02T23:00:00Z')).toBeNull()
  expect(nextAfter(once, Date.parse('2026-05-03T00:00:00Z'))).toBeUndefined()
  // However far ahead.
  expect(nextAfter(once, Date.parse('2024-01-01T00:00:00Z'))).toBe(Date.parse('2026-04-30T23:00:00Z'))
})

test('without a pattern a window comes on the day it starts on', () => {
  const weekly = rule(window('weekly', '2026-01-02T10:00:00', '2026-01-02T11:00:00', 'UTC'))
  const found = occurrences(weekly, Date.parse('2026-01-01T00:00:00Z'), Date.parse('2026-01-31T00:00:00Z'))
  expect(found.map(({ start }) => new Date(start).getUTCDate())).toEqual([2, 9, 16, 23, 30])
})

test.each<[string, Partial<Recurring>]>([
  ['zone', { timezone: 'Mars/Olympus' }],
  ['order', { end_time: '2026-01-01T22:00:00' }],
  ['length', { end_time: '2026-01-03T00:00:00' }],
  ['time', { start_time: 'tonight' }],
  ['recurrence', { recurrence: 'hourly' }],
  ['day of the week', { recurrence: 'weekly', recurrence_pattern: { days_of_week: ['someday'] } }],
  ['day of the month', { recurrence: 'monthly', recurrence_pattern: { days_of_month: [0] } }],
])('what cannot be read is no rule: %s', (_, change) => {
  expect(ruleOf({ ...window('daily', '2026-01-01T22:00:00', '2026-01-02T06:00:00', 'UTC'), ...change })).toBeUndefined()
})

test('months and weeks begin on Monday', () => {
  const day = Date.UTC(2026, 1, 11)
  expect(monthOf(day).map((week) => week.length)).toEqual([7, 7, 7, 7, 7])
  expect(monthOf(day)[0]?.[0]).toBe(Date.UTC(2026, 0, 26))
  expect(weekOf(Date.UTC(2026, 1, 15))[0]).toBe(Date.UTC(2026, 1, 9))
  expect(monthsOn(Date.UTC(2026, 11, 31), 1)).toBe(Date.UTC(2027, 0, 1))
  expect(monthsOn(Date.UTC(2026, 2, 31), -1)).toBe(Date.UTC(2026, 1, 1))
})

test('the days on which clocks change have 23 and 25 hours', () => {
  const hours = (day: number) => {
    const { start, end } = boundsOf('Europe/Berlin', day)
    return (end - start) / 3_600_000
  }
  expect([Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25), Date.UTC(2026, 5, 1)].map(hours)).toEqual([23, 25, 24])
})

test('what overlaps stands side by side, what does not has the width', () => {
  const spans = [
    { start: 0, end: 10 }, { start: 5, end: 8 }, { start: 9, end: 12 }, { start: 20, end: 30 },
  ]
  expect(lanes(spans).map(({ lane, of }) => [lane, of])).toEqual([[0, 2], [1, 2], [1, 2], [0, 1]])
  expect(within(spans, { start: 6, end: 9 })).toEqual([{ start: 6, end: 9 }, { start: 6, end: 8 }])
  expect(within([{ start: 0, end: DAY }], { start: DAY, end: 2 * DAY })).toEqual([])
})
