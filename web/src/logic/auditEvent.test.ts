import { expect, test } from 'vitest'
import { differences, readAuditEvent } from './auditEvent'

test('an event is read', () => {
  const read = readAuditEvent({
    action: 'user.changed', occurred_at: '2026-01-01T00:00:00Z',
    actor: { id: 'act_1', type: 'user', display_name: 'Ada' },
    target: { type: 'user', id: 'usr_1' }, success: false, error: 'no', context: { before: 1 },
    evidence_refs: ['evd_1', 7], trace_id: 't',
    ip_address: '192.0.2.1', personal: 'ab',
  })
  expect(read).toMatchObject({
    action: 'user.changed', actor: { id: 'act_1', kind: 'user', name: 'Ada' }, target: { kind: 'user', id: 'usr_1' },
    success: false,
    error: 'no', evidence: ['evd_1', '7'], origin: [['Address', '192.0.2.1'], ['Request', 't']], personal: 'ab',
    decision: undefined,
  })
})

test.each([undefined, null, 7, 'bytes that were no JSON', [], {}])('%j breaks nothing', (event) => {
  expect(readAuditEvent(event)).toMatchObject(
    { action: '', actor: { id: '' }, success: false, context: {}, evidence: [] },
  )
})

test('what changed is shown by name, and what did not is left out', () => {
  const context = { before: { a: 1, b: [1], gone: 'x' }, after: { a: 1, b: [2], come: true } }
  expect(differences(context)).toEqual([
    { name: 'b', before: [1], after: [2] }, { name: 'come', before: undefined, after: true },
    { name: 'gone', before: 'x', after: undefined },
  ])
})

test('a value that was another before', () => {
  expect(differences({ before: 'a', after: 'b' })).toEqual([{ name: '', before: 'a', after: 'b' }])
  expect(differences({ before: null })).toEqual([{ name: '', before: null, after: undefined }])
  expect(differences({ other: 1 })).toBeUndefined()
})
