import { expect, test } from 'vitest'
import { beginning, firstUnderWay, narrowed, STATES, toQuery, UNDER_WAY } from './executionFilters'
import { over } from './executionEvents'

const NOW = Date.parse('2026-03-01T12:00:00Z')

test('a URL becomes what the API is asked for', () => {
  const search = {
    q: 'web', state: 'failed,needs_human', mode: 'auto', runbook: 'rbk_1', resource: 'res_1', by: 'me', since: '24h',
    sort: 'created_at', step: 'x',
  }
  expect(toQuery(search, 'act_me', NOW)).toEqual({
    q: 'web', state: ['failed', 'needs_human'], mode: ['auto'], runbook_id: ['rbk_1'], resource_id: ['res_1'],
    initiated_by: ['act_me'], created_at_from: '2026-02-28T12:00:00.000Z', sort: 'created_at',
  })
})

test('nothing asked for is nothing', () => {
  expect(toQuery({ since: 'forever', sort: 'summary', state: ',' }, 'me', NOW)).toEqual({})
  expect(narrowed({ sort: 'x' })).toBe(false)
  expect(narrowed({ by: 'act_1' })).toBe(true)
  expect(toQuery({ by: 'act_1' }, 'me', NOW)).toEqual({ initiated_by: ['act_1'] })
})

test('under way is whatever is not over', () => {
  expect(STATES.filter((state) => UNDER_WAY.includes(state))).toEqual(STATES.filter((state) => !over(state)))
})

test('what needs somebody comes first, then what runs, the oldest before the newest', () => {
  const row = (state: string, created_at: string) => ({ state, created_at })
  const rows = [row('queued', '1'), row('in_progress', '3'), row('in_progress', '2'), row('needs_human', '9')]
  expect(firstUnderWay(rows).map((one) => one.created_at)).toEqual(['9', '2', '3', '1'])
})

test.each([
  ['1h', NOW - 3_600_000], ['forever', undefined], ['constructor', undefined], ['__proto__', undefined],
  [undefined, undefined],
])('the span %s begins at %s', (since, at) => {
  expect(beginning(since, NOW)).toBe(at)
})

test('a word that every object has is no span', () => {
  expect(toQuery({ since: 'constructor' }, 'me', NOW)).toEqual({})
})
