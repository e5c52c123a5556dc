import { expect, test } from 'vitest'
import { apart, placeOnLine, span } from './apart'

test.each([
  [0, 'at that moment'], [-0.4, 'at that moment'], [-720, '12 min before'], [30, '30 s after'],
  [-7_500, '2 h 5 min before'],
])('%d s is %s', (seconds, words) => expect(apart(seconds)).toBe(words))

test('parts that are nothing are not said', () => {
  expect([span(86_400), span(-90), span(0.25)]).toEqual(['24 h', '1 min 30 s', '250 ms'])
})

test('before is left, after is right, and the farthest is at the end', () => {
  expect(placeOnLine(0, 3_600)).toBe(0)
  expect(placeOnLine(-3_600, 3_600)).toBe(-1)
  expect(placeOnLine(3_600, 3_600)).toBe(1)
  expect(placeOnLine(60, 3_600)).toBeGreaterThan(0.1)
  expect(placeOnLine(7_200, 3_600)).toBe(1)
  expect(placeOnLine(10, 0)).toBe(0)
})

test('what is farther away stands farther out', () => {
  const places = [-86_400, -3_600, -60, 5, 600].map((seconds) => placeOnLine(seconds, 86_400))
  expect(places).toEqual([...places].sort((one, other) => one - other))
})
