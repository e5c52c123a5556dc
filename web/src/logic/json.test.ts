import { expect, test } from 'vitest'
import { fields, items, maybe, number, text, texts } from './json'

test('what is of another kind is empty', () => {
  for (const other of [undefined, null, 7, 'x', [1]]) expect(fields(other)).toEqual({})
  for (const other of [undefined, null, 7, 'x', { a: 1 }]) expect(items(other)).toEqual([])
  for (const other of [undefined, null, [], {}]) expect(text(other)).toBe('')
})

test('what is there is there', () => {
  expect(fields({ a: 1 })).toEqual({ a: 1 })
  expect(items([1, 2])).toEqual([1, 2])
  expect([text('x'), text(0), text(false)]).toEqual(['x', '0', 'false'])
  expect([maybe(''), maybe('x')]).toEqual([undefined, 'x'])
  expect(texts(['a', '', null, 3])).toEqual(['a', '3'])
})

test.each([
  [5, 5], ['5', 5], ['0.0769230769', 0.0769230769], ['1e-7', 1e-7], ['', undefined], [' ', undefined], ['x', undefined],
  ['NaN', undefined], [Infinity, undefined], [null, undefined], [true, undefined],
])('%j as a number', (value, expected) => {
  expect(number(value)).toBe(expected)
})
