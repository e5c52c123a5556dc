import { expect, test } from 'vitest'
import { bodyOf, draftOf } from '../../logic/fields'
import { forForm, runbooksOf, selected, serversOf, windowFields } from './windowFields'

test.each<[unknown, Record<string, string[]>]>([
  [null, { tags: [], names: [], environments: [] }],
  [['web-1', 'prod'], { tags: ['web-1', 'prod'], names: ['web-1', 'prod'], environments: ['web-1', 'prod'] }],
  [{ tags: ['team=a'], names: 7 }, { tags: ['team=a'], names: [], environments: [] }],
])('servers %j', (given, read) => {
  expect(serversOf(given)).toEqual(read)
})

test('what a selector means', () => {
  expect(selected(null, runbooksOf(null), 'every runbook')).toBe('every runbook')
  expect(selected(['reboot'], runbooksOf(['reboot']), 'every runbook')).toBe('reboot')
  const servers = { names: ['web-*', 'db-1'], tags: ['a'] }
  expect(selected(servers, serversOf(servers), 'every server')).toBe('tags a; names web-*, db-1')
})

test('a window goes through the form and stays what it was', () => {
  const window = {
    name: 'quiet night', description: 'sleep', kind: 'deny', timezone: 'Europe/Berlin', recurrence: 'weekly',
    start_time: '2026-01-01T22:00:00', end_time: '2026-01-02T06:00:00', enabled: true,
    recurrence_pattern: { days_of_week: ['fri'] }, affected_servers: null, affected_runbooks: ['db-restart'],
  }
  const fields = windowFields('UTC')
  const known = forForm(window)
  const { body, faults } = bodyOf(fields, draftOf(fields, known), known)
  expect(faults).toEqual({})
  expect(body).toEqual({
    ...window,
    affected_servers: { tags: [], names: [], environments: [] },
    affected_runbooks: { ids: [], names: ['db-restart'], categories: ['db-restart'] },
  })
})

test('days mean nothing to a window that comes every day', () => {
  const fields = windowFields('UTC')
  const stored = { recurrence: 'daily', recurrence_pattern: { days_of_week: ['fri'] } }
  const known = forForm({ ...stored, affected_servers: null })
  expect(bodyOf(fields, draftOf(fields, known), known).body.recurrence_pattern).toEqual({})
})
