import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withKeys, withSeen } from '../../logic/logMemory'
import { remembered, rewrite } from './remembered'

const root = new Uint8Array(32)
const key = { key: { text: 'log+a+b', name: 'log', id: 'a', key: root }, from: 0 }
let stored: Map<string, string>

beforeEach(() => {
  stored = new Map()
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, text: string) => void stored.set(name, text),
  })
})
afterEach(() => vi.unstubAllGlobals())

test('what is remembered is filed under the tenant, whatever the log calls itself', () => {
  rewrite('ten_1', (memory) => withKeys(memory, 'log', [key], 't0'))
  rewrite('ten_1', (memory) => withKeys(memory, 'another', [key], 't1'))
  expect([...stored.keys()]).toEqual(['countersign.log ten_1'])
  expect(remembered('ten_1')).toMatchObject({ origin: 'another', keys: [{ since: 't0' }] })
  expect(remembered('ten_2')).toBeUndefined()
})

test('who compared the key does not make the longest log forgotten that was seen meanwhile', () => {
  const before = rewrite('ten_1', (memory) => withKeys(memory, 'log', [key], 't0'))
  expect(before?.longest).toBeUndefined()
  rewrite('ten_1', (memory) => memory && withSeen(memory, { origin: 'log', size: 9, root }, 't1'))
  const after = rewrite('ten_1', (memory) => ({ ...withKeys(memory, 'log', [key], 't2'), compared: 't2' }))
  expect(after).toMatchObject({ compared: 't2', longest: { size: 9 } })
  expect(remembered('ten_1')).toEqual(after)
})

test('nothing is written where there is nothing to say', () => {
  expect(rewrite('ten_1', () => undefined)).toBeUndefined()
  expect(stored.size).toBe(0)
})

test('a browser that keeps nothing remembers as long as the page is open', () => {
  const refuse = () => {
    throw new Error('nothing is kept here')
  }
  vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse })
  rewrite('ten_3', (memory) => withKeys(memory, 'log', [key], 't0'))
  expect(remembered('ten_3')?.keys).toHaveLength(1)
})
