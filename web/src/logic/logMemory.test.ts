import { expect, test } from 'vitest'
import { base64 } from './bytes'
import { keyChange, longestSeen, parseMemory, ranged, withKeys, withSeen, type LogMemory } from './logMemory'
import type { Trusted } from './note'

const root = (fill: number) => new Uint8Array(32).fill(fill)
const checkpoint = (size: number, fill: number) => ({ origin: 'log', size, root: root(fill) })
const key = (text: string, from = 0, to?: number): Trusted => ({
  key: { text, name: 'log', id: '', key: root(0) }, from, to,
})
const memory: LogMemory = {
  origin: 'log', keys: [{ text: 'a', from: 0, since: 't0' }], longest: { size: 10, root: base64(root(1)), at: 't1' },
}
const rotated: LogMemory = {
  origin: 'log', keys: [{ text: 'a', from: 0, to: 9, since: 't0' }, { text: 'b', from: 9, since: 't1' }],
}

test.each([
  ['nothing is known', undefined, [key('a')], 'first', ['a 0 -'], []],
  ['the same', memory, [key('a')], 'known', [], []],
  ['one more', memory, [key('a'), key('b')], 'changed', ['b 0 -'], []],
  ['another', memory, [key('b')], 'changed', ['b 0 -'], ['a 0 -']],
  ['none is offered', memory, [], 'unnamed', [], ['a 0 -']],
  ['rotated, as it is known', rotated, [key('a', 0, 9), key('b', 9)], 'known', [], []],
  ['retired meanwhile', rotated, [key('a', 0, 9), key('b', 9, 20)], 'known', [], []],
  ['a retired key back for ever', rotated, [key('a'), key('b', 9)], 'changed', ['a 0 -'], []],
  ['a retired key back for some sizes', rotated, [key('a', 0, 9), key('a', 20, 30), key('b', 9)], 'changed',
    ['a 20 30'], []],
  ['a key that counts from earlier on', rotated, [key('a', 0, 9), key('b', 8)], 'changed', ['b 8 -'], []],
  ['the retired one is listed no more', rotated, [key('b', 9)], 'changed', [], ['a 0 9']],
] as const)('%s', (_, known, offered, state, fresh, gone) => {
  expect(keyChange(known, 'log', [...offered])).toEqual({ state, fresh, gone })
})

test('a log under another name is another log, with whatever keys', () => {
  for (const offered of [[], [key('a')], [key('b')]]) {
    const change = keyChange(memory, 'another', offered)
    expect(change).toMatchObject({ state: 'changed', renamed: { was: 'log', now: 'another' } })
  }
})

test('a key a person gives alone counts for the sizes it is known for', () => {
  expect(ranged([key('a')], [key('a', 0, 9), key('b', 9), key('a', 20)])).toEqual([key('a', 0, 9), key('a', 20)])
  expect(ranged([key('a', 0, 5)], [key('a', 0, 9)])).toEqual([key('a', 0, 5)])
  expect(ranged([key('c')], [key('a')])).toEqual([key('c')])
})

test('what is known keeps its time, and the longest stays the longest', () => {
  const now = withKeys(memory, 'log', [key('a', 0, 12), key('b', 12)], 't2')
  expect(now.keys).toEqual([{ text: 'a', from: 0, to: 12, since: 't0' }, { text: 'b', from: 12, since: 't2' }])
  expect(now.longest).toEqual(memory.longest)
  expect(withSeen(now, checkpoint(9, 3), 't3').longest?.size).toBe(10)
  expect(withSeen(now, checkpoint(12, 3), 't3').longest).toEqual({ size: 12, root: base64(root(3)), at: 't3' })
  expect(withSeen(now, { ...checkpoint(12, 3), origin: 'another' }, 't3')).toBe(now)
})

test('that keys were compared is not said of others', () => {
  const compared = { ...rotated, compared: 't3' }
  expect(withKeys(compared, 'log', [key('a', 0, 9), key('b', 9, 12)], 't4').compared).toBe('t3')
  expect(withKeys(compared, 'log', [key('c')], 't4').compared).toBeUndefined()
  expect(withKeys({ ...compared, keys: [] }, 'log', [key('a')], 't4').compared).toBeUndefined()
  const damaged = JSON.stringify({ ...compared, keys: [...compared.keys, { text: 'c' }] })
  expect(parseMemory(damaged)?.compared).toBeUndefined()
})

test('what was written is read back, and nothing else is', () => {
  for (const one of [{ ...memory, compared: 't4' }, rotated]) expect(parseMemory(JSON.stringify(one))).toEqual(one)
  for (const text of [null, '', 'x', '7', '{}', '{"origin":"a","keys":7}', '{"keys":[]}', '[]']) {
    expect(parseMemory(text), `${text}`).toBeUndefined()
  }
  expect(parseMemory('{"origin":"a","keys":[7,{"text":1}],"longest":{}}')).toEqual({ origin: 'a', keys: [] })
  const endless = '{"origin":"a","keys":[{"text":"a","since":"t","from":0,"to":null}]}'
  expect(parseMemory(endless)?.keys, 'no end that cannot be read').toEqual([])
})

test('a longest log that cannot be read is none', () => {
  expect(longestSeen(memory)).toEqual({ size: 10, root: root(1), at: 't1' })
  expect(longestSeen(rotated)).toBeUndefined()
  expect(longestSeen({ ...memory, longest: { size: 1, root: 'AAAA', at: '' } })).toBeUndefined()
})
