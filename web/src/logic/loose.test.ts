import { expect, test } from 'vitest'
import { asList, asNumber, asRecord, asText, asTexts, asWebAddress } from './loose'

test('what is of another kind is nothing', () => {
  for (const value of [null, undefined, 3, 'x', [1]]) expect(asRecord(value)).toEqual({})
  for (const value of [null, undefined, 3, 'x', {}]) expect(asList(value)).toEqual([])
  for (const value of [null, undefined, 3, '', {}]) expect(asText(value)).toBeUndefined()
  for (const value of [null, undefined, '3', NaN, Infinity]) expect(asNumber(value)).toBeUndefined()
  expect([asRecord({ a: 1 }), asList([1]), asText('x'), asNumber(0)]).toEqual([{ a: 1 }, [1], 'x', 0])
  expect(asTexts(['a', 1, null, 'b'])).toEqual(['a', 'b'])
})

test.each([
  ['https://runbooks.example.com/disk?a=b', 'https://runbooks.example.com/disk?a=b'],
  ['HTTP://example.com', 'http://example.com/'],
  ['javascript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['see https://example.com', undefined],
  ['https://example.com\njavascript:alert(1)', undefined],
  ['https://', undefined],
  ['', undefined],
])('%j leads to %s', (text, address) => expect(asWebAddress(text)).toBe(address))
