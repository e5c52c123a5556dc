import { expect, test } from 'vitest'
import { base64 } from './bytes'
import { contradicts, keyChange, parseMemory, shrunk, withKeys, withSeen } from './logMemory'

const root = (fill: number) => new Uint8Array(32).fill(fill)
const checkpoint = (size: number, fill: number) => ({ origin: 'log', size, root: root(fill) })
const memory = { keys: [{ text: 'a', since: 't0' }], longest: { size: 10, root: base64(root(1)), at: 't1' } }

test.each([
  [undefined, ['a'], 'first', [], []],
  [memory, ['a'], 'known', [], []],
  [memory, ['a', 'b'], 'changed', ['b'], []],
  [memory, ['b'], 'changed', ['b'], ['a']],
  [memory, [], 'changed', [], ['a']],
])('of %j, offered %j is %s', (known, offered, state, fresh, gone) => {
  const change = keyChange(known, offered)
  expect(change.state).toBe(state)
  if (state !== 'first') expect([change.fresh, change.gone]).toEqual([fresh, gone])
})

test('a log that is shorter, or has another root at the same size, contradicts what was seen', () => {
  expect(shrunk(memory, checkpoint(9, 1))).toBeDefined()
  expect(shrunk(memory, checkpoint(10, 1))).toBeUndefined()
  expect(contradicts(memory, checkpoint(10, 2))).toBeDefined()
  expect(contradicts(memory, checkpoint(10, 1))).toBeUndefined()
  expect(contradicts(memory, checkpoint(11, 2))).toBeUndefined()
  expect(shrunk(undefined, checkpoint(0, 1)) ?? contradicts(undefined, checkpoint(0, 1))).toBeUndefined()
})

test('what is known keeps its time, and the longest stays the longest', () => {
  const now = withKeys(memory, ['a', 'b'], 't2')
  expect(now.keys).toEqual([{ text: 'a', since: 't0' }, { text: 'b', since: 't2' }])
  expect(now.longest).toEqual(memory.longest)
  expect(withSeen(now, checkpoint(9, 3), 't3').longest?.size).toBe(10)
  expect(withSeen(now, checkpoint(12, 3), 't3').longest).toEqual({ size: 12, root: base64(root(3)), at: 't3' })
})

test('what was written is read back, and nothing else is', () => {
  expect(parseMemory(JSON.stringify({ ...memory, compared: 't4' }))).toEqual({ ...memory, compared: 't4' })
  for (const text of [null, '', 'x', '7', '{}', '{"keys":7}', '[]']) expect(parseMemory(text), `${text}`).toBeUndefined()
  expect(parseMemory('{"keys":[7,{"text":1}],"longest":{}}')).toEqual({ keys: [] })
})
