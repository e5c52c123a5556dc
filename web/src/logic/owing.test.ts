import { expect, test } from 'vitest'
import { LEAST_REST_MS, MOST_REST_MS, Owing } from './owing'

test('what changed is asked for once', () => {
  const owing = new Owing()
  owing.owe('a')
  owing.owe('a')
  expect(owing.next(10)).toBe(10)
  expect(owing.take(10)).toEqual(['a'])
  expect([owing.take(11), owing.next(11)]).toEqual([[], undefined])
})

test('what is under way is let come, and asked for again after a rest', () => {
  const owing = new Owing()
  owing.see('a', true, 0)
  owing.owe('a')
  expect([owing.take(50), owing.next(50)]).toEqual([[], undefined])
  owing.see('a', false, 1_000)
  expect([owing.take(1_000), owing.next(1_000)]).toEqual([[], 2_000])
  expect(owing.take(2_000)).toEqual(['a'])
})

test('what is quick rests a moment, what is slow not for ever', () => {
  const owing = new Owing()
  for (const [key, took] of [['quick', 5], ['slow', 60_000]] as const) {
    owing.see(key, true, 0)
    owing.see(key, false, took)
    owing.owe(key)
  }
  expect(owing.next(5)).toBe(5 + LEAST_REST_MS)
  expect(owing.take(5 + LEAST_REST_MS)).toEqual(['quick'])
  expect(owing.take(60_000 + MOST_REST_MS)).toEqual(['slow'])
})

test('one that is slow holds up no other', () => {
  const owing = new Owing()
  owing.see('slow', true, 0)
  for (const key of ['slow', 'other']) owing.owe(key)
  expect(owing.take(1)).toEqual(['other'])
})

test('a change while it rests is not lost, nor is one that comes again and again', () => {
  const owing = new Owing()
  let asked = 0
  // Ten changes a second for a minute, of a list that takes two seconds to answer.
  let answered: number | undefined
  for (let now = 0; now < 60_000; now += 100) {
    if (answered !== undefined && now >= answered) {
      owing.see('a', false, now)
      answered = undefined
    }
    owing.owe('a')
    if (owing.take(now).length > 0) {
      asked += 1
      owing.see('a', true, now)
      answered = now + 2_000
    }
  }
  expect(asked).toBe(15)
})

test('what nobody has any more is not asked for', () => {
  const owing = new Owing()
  owing.owe('a')
  owing.forget('a')
  expect(owing.next(0)).toBeUndefined()
})
