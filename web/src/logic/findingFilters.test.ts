import { expect, test } from 'vitest'
import {
  begins, chosen, exportUrl, filtering, fromField, needsEnvironments, toField, toQuery, written,
} from './findingFilters'

const environments = [
  { id: 'env_1', class: 'prod' },
  { id: 'env_2', class: 'staging' },
  { id: 'env_3', class: 'prod' },
]
const now = Date.parse('2026-03-10T12:00:00Z')

test('words are read once each and written back', () => {
  expect(chosen(' drift,alert,,drift ')).toEqual(['drift', 'alert'])
  expect(chosen(undefined)).toEqual([])
  expect(written(['drift', 'alert'])).toBe('drift,alert')
  expect(written([])).toBeUndefined()
})

test.each([
  ['1h', '2026-03-10T11:00:00.000Z'],
  ['24h', '2026-03-09T12:00:00.000Z'],
  ['7d', '2026-03-03T12:00:00.000Z'],
])('%s begins at %s', (period, begin) => {
  expect(new Date(begins(period, now) ?? 0).toISOString()).toBe(begin)
})

test('today begins at midnight of the viewer, and no other word is a span', () => {
  const midnight = new Date(begins('today', now) ?? 0)
  expect([midnight.getHours(), midnight.getMinutes(), midnight.getSeconds()]).toEqual([0, 0, 0])
  expect(now - midnight.getTime()).toBeLessThan(24 * 3_600_000)
  for (const word of [undefined, '', 'week', '7', '-7d', '7d7']) expect(begins(word, now)).toBeUndefined()
})

test('an empty URL asks for everything, with no filter named', () => {
  expect(toQuery({}, environments, now)).toEqual({})
  expect(toQuery({ q: '  ', kind: ',' }, environments, now)).toEqual({})
})

test('filters become parameters of the API', () => {
  const search = { q: ' disk ', kind: 'drift,alert', severity: 'critical', status: 'open', sort: '-severity_rank' }
  expect(toQuery(search, environments, now)).toEqual({
    q: 'disk', kind: ['drift', 'alert'], severity: ['critical'], status: ['open'], sort: '-severity_rank',
  })
})

test('a class of environments is all of its environments, each once', () => {
  expect(toQuery({ environment: 'class:prod,env_1,env_2' }, environments, now).environment_id)
    .toEqual(['env_1', 'env_3', 'env_2'])
})

test('a class that has no environment shows nothing instead of everything', () => {
  expect(toQuery({ environment: 'class:dev' }, environments, now).environment_id).toHaveLength(1)
  expect(toQuery({ environment: 'class:dev' }, environments, now).environment_id?.[0]).toMatch(/^0{8}-/)
})

test('only a class needs to know the environments', () => {
  expect(needsEnvironments({ environment: 'env_1' })).toBe(false)
  expect(needsEnvironments({ environment: 'env_1,class:prod' })).toBe(true)
})

test('time is of the first notice unless the last is asked for; a given moment goes before a span', () => {
  expect(toQuery({ since: '1h' }, [], now)).toEqual({ first_seen_from: '2026-03-10T11:00:00.000Z' })
  expect(toQuery({ since: '1h', by: 'last_seen' }, [], now)).toEqual({ last_seen_from: '2026-03-10T11:00:00.000Z' })
  expect(toQuery({ since: '1h', from: '2026-01-01T00:00:00Z', before: '2026-02-01T00:00:00Z' }, [], now)).toEqual({
    first_seen_from: '2026-01-01T00:00:00.000Z', first_seen_before: '2026-02-01T00:00:00.000Z',
  })
  expect(toQuery({ from: 'yesterday' }, [], now)).toEqual({})
})

test('an order the API does not have is not asked for', () => {
  expect(toQuery({ sort: 'seen_count' }, [], now)).toEqual({})
})

test('the file holds what is filtered, several values as several parameters', () => {
  const url = new URL(exportUrl(toQuery({ kind: 'drift,alert', q: 'a&b' }, [], now)), 'http://here')
  expect(url.pathname).toBe('/api/v1/findings/export')
  expect(url.searchParams.get('format')).toBe('csv')
  expect(url.searchParams.getAll('kind')).toEqual(['drift', 'alert'])
  expect(url.searchParams.get('q')).toBe('a&b')
})

test('filters are counted, the column of time and the order are none', () => {
  expect(filtering({ q: 'x', kind: 'drift', by: 'last_seen', sort: 'id', status: '' })).toBe(2)
})

test('a field of date and time keeps the moment to the minute', () => {
  const moment = '2026-03-10T12:34:00.000Z'
  expect(fromField(toField(moment))).toBe(moment)
  expect(toField(undefined)).toBe('')
  expect(fromField('')).toBeUndefined()
})
