import { expect, test } from 'vitest'
import { grouped } from './grouped'

test.each([
  ['', ''],
  ['ABCD', 'ABCD'],
  ['ABCDEFGHIJ', 'ABCD EFGH IJ'],
])('%s', (key, typed) => {
  expect(grouped(key)).toBe(typed)
})
