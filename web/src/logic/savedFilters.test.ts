import { expect, test } from 'vitest'
import { added, badName, BUILT_IN, kept, MOST_SAVED, read, renamed, showing, shows, without } from './savedFilters'

const mine = [{ name: 'Mine', search: { kind: 'drift' } }]

test('a filter keeps filters and order, and nothing else of the URL', () => {
  expect(kept({ kind: 'drift', sort: '-id', tab: 'x', status: '', q: undefined }))
    .toEqual({ kind: 'drift', sort: '-id' })
})

test('showing a filter takes out what it does not name', () => {
  const change = showing({ name: 'a', search: { kind: 'drift' } })
  expect(change.kind).toBe('drift')
  expect('status' in change && change.status).toBeUndefined()
  expect('sort' in change && change.sort).toBeUndefined()
})

test('the URL shows a filter when it says the same and no more', () => {
  expect(shows({ kind: 'drift', other: 'x' }, { name: 'a', search: { kind: 'drift' } })).toBe(true)
  expect(shows({ kind: 'drift', q: 'x' }, { name: 'a', search: { kind: 'drift' } })).toBe(false)
  expect(shows({}, { name: 'a', search: { kind: 'drift' } })).toBe(false)
})

test.each([
  null, '', 'nonsense', '{}', '3',
  '[null, 4, {"name": 1, "search": {}}, {"name": "a"}, {"name": " ", "search": {}}]',
])(
  'nothing is read from %j', (text) => expect(read(text)).toEqual([]),
)

test('what can be read is read, without what is no filter', () => {
  const text = JSON.stringify([{ name: 'A', search: { kind: 'drift', limit: 5, evil: 'x', status: 'open' } }])
  expect(read(text)).toEqual([{ name: 'A', search: { kind: 'drift', status: 'open' } }])
})

test('what was kept is read again', () => {
  expect(read(JSON.stringify(added(mine, ' New ', { q: 'disk' }))))
    .toEqual([...mine, { name: 'New', search: { q: 'disk' } }])
})

test('names are there once, and never those of built-in filters', () => {
  expect(badName(mine, 'Other')).toBeUndefined()
  expect(badName(mine, ' ')).toMatch(/name/)
  expect(badName(mine, 'mine')).toMatch(/have/)
  expect(badName(mine, 'mine', 'Mine')).toBeUndefined()
  expect(badName(mine, BUILT_IN[0]?.name.toUpperCase() ?? '')).toMatch(/built-in/)
  expect(badName(mine, 'x'.repeat(61))).toMatch(/60/)
  const full = Array.from({ length: MOST_SAVED }, (_, n) => ({ name: `f${n}`, search: {} }))
  expect(badName(full, 'one more')).toMatch(/At most/)
  expect(badName(full, 'f0 renamed', 'f0')).toBeUndefined()
})

test('a filter is renamed and removed by its name', () => {
  expect(renamed(mine, 'Mine', ' Ours ')).toEqual([{ name: 'Ours', search: { kind: 'drift' } }])
  expect(renamed(mine, 'Other', 'Ours')).toEqual(mine)
  expect(without(mine, 'Mine')).toEqual([])
})
