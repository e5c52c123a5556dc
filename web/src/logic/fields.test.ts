import { expect, test } from 'vitest'
import { bodyOf, draftOf, faultOf, localOf, unplaced, type Field } from './fields'

const field = (at: string, kind: Field['kind'], more: Partial<Field> = {}): Field => ({ at, kind, label: at, ...more })

test('what is there comes back as it was', () => {
  const fields = [
    field('name', 'text'), field('port', 'number'), field('tags', 'pairs'), field('groups', 'map'),
    field('value', 'json'), field('enabled', 'boolean'), field('roles', 'choices'), field('days', 'numbers'),
    field('start', 'clock'), field('configuration/to', 'list'), field('ends', 'moment'),
  ]
  const known = {
    name: 'shop', port: 22, tags: { team: 'a=b', site: '' }, groups: { sre: ['operator', 'approver'], none: [] },
    value: { a: [1, null] }, enabled: false, roles: ['viewer'], days: [1, -1], start: '2026-01-01T22:00:00',
    configuration: { to: ['a@example.com'] }, ends: '2026-05-01T10:30:00.000Z',
  }
  expect(bodyOf(fields, draftOf(fields, known))).toEqual({ body: known, faults: {} })
})

test.each<[string, Field, string, unknown, string | undefined]>([
  ['an empty optional text is left out', field('x', 'text'), ' ', undefined, undefined],
  ['an empty required text is a fault', field('x', 'text', { required: true }), ' ', undefined, 'is needed'],
  ['a number out of range', field('x', 'number', { min: 1, max: 5 }), '6', undefined, 'must be 1 to 5'],
  ['a number below', field('x', 'number', { min: 1 }), '0', undefined, 'must be 1 or more'],
  ['a fraction', field('x', 'number'), '1.5', undefined, 'must be a whole number'],
  ['a secret keeps its spaces', field('x', 'secret'), ' a ', ' a ', undefined],
  ['a pair without a key', field('x', 'pairs'), 'a = 1\n = 2', undefined, 'line 2: write key = value'],
  ['a pair without =', field('x', 'pairs'), 'a', undefined, 'line 1: write key = value'],
  ['null is JSON', field('x', 'json'), 'null', null, undefined],
  ['seconds are added to a clock', field('x', 'clock'), '2026-01-01T22:00', '2026-01-01T22:00:00', undefined],
  ['seconds of a clock stay', field('x', 'clock'), '2026-01-01T22:00:30', '2026-01-01T22:00:30', undefined],
  ['no moment', field('x', 'moment'), 'soon', undefined, 'is no date and time'],
])('%s', (_, one, given, value, fault) => {
  const { body, faults } = bodyOf([one], { x: given })
  expect(body.x).toEqual(value)
  expect(faults.x).toBe(fault)
})

test('broken JSON says that it is', () => {
  expect(bodyOf([field('x', 'json')], { x: '{' }).faults.x).toMatch(/^is no JSON/)
})

test('numbers are checked one by one', () => {
  const days = field('days', 'numbers', { min: -31, max: 31 })
  expect(bodyOf([days], { days: ['1', '-1'] }).body).toEqual({ days: [1, -1] })
  expect(bodyOf([days], { days: ['1', '40'] }).faults).toEqual({ days: 'must be -31 to 31' })
})

test('what a field is hidden for is not sent, and what no field is about stays', () => {
  const fields = [
    field('type', 'choice'),
    field('configuration/to', 'list', { shown: (draft) => draft.type === 'email' }),
    field('configuration/channel', 'text', { shown: (draft) => draft.type === 'slack', required: true }),
  ]
  const base = { type: 'email', configuration: { to: ['a@example.com'], thread: true } }
  const draft = { ...draftOf(fields, base), type: 'slack', 'configuration/channel': '#incidents' }
  expect(bodyOf(fields, draft, base)).toEqual({
    body: { type: 'slack', configuration: { thread: true, channel: '#incidents' } }, faults: {},
  })
  expect(base.configuration.to).toEqual(['a@example.com'])
})

test('something new begins as its fields say', () => {
  const on = field('on', 'boolean', { initial: true })
  const fields = [field('port', 'number', { initial: 22 }), on, field('n', 'text')]
  expect(draftOf(fields)).toEqual({ port: '22', on: true, n: '' })
})

test('faults find their fields, also from inside them', () => {
  const fields = [field('role_mapping', 'map'), field('role', 'text'), field('key', 'code', { also: 'secret' })]
  const faults = [
    { path: '/role_mapping/sre/0', message: 'no such role' },
    { path: '/role', message: 'unknown' },
    { path: '/roles', message: 'elsewhere' },
    { path: '/secret', message: 'no key' },
  ]
  expect(fields.map((one) => faultOf(one, faults))).toEqual(['sre/0: no such role', 'unknown', 'no key'])
  expect(unplaced(fields, faults).map((one) => one.path)).toEqual(['/roles'])
})

test('a moment is shown on the clock of this machine', () => {
  const at = new Date(2026, 4, 1, 10, 30)
  expect(localOf(at.toISOString())).toBe('2026-05-01T10:30')
  expect(localOf('never')).toBe('')
})
