import { expect, test } from 'vitest'
import { RetryKeys } from './retryKeys'

function counting(): RetryKeys {
  let made = 0
  return new RetryKeys(() => `key ${(made += 1)}`)
}

test('what is asked again while no answer came keeps its key', () => {
  const keys = counting()
  expect(keys.of('POST /run {"a":1}', 0)).toBe('key 1')
  expect(keys.of('POST /run {"a":1}', 30_000)).toBe('key 1')
})

test('another request has another key', () => {
  const keys = counting()
  const all = ['POST /run {"a":1}', 'POST /run {"a":2}', 'POST /ran {"a":1}', 'POST /run {"a":1} '].map((what) => keys.of(what, 0))
  expect(new Set(all).size).toBe(all.length)
})

test('after an answer the same is another request', () => {
  const keys = counting()
  keys.answered(keys.of('POST /run', 0))
  expect(keys.of('POST /run', 1)).toBe('key 2')
})

test('what was asked long ago is not meant any more', () => {
  const keys = counting()
  keys.of('POST /run', 0)
  expect(keys.of('POST /run', 600_001)).toBe('key 2')
})
