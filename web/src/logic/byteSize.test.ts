import { expect, test } from 'vitest'
import { byteSize } from './byteSize'

test.each([
  [0, '0 B'], [999, '999 B'], [1_000, '1.0 kB'], [9_949, '9.9 kB'], [9_951, '10 kB'], [999_499, '999 kB'],
  [999_500, '1.0 MB'], [104_857_600, '105 MB'], [3e12, '3.0 TB'], [5e15, '5000 TB'],
])('%i bytes are %s', (bytes, words) => {
  expect(byteSize(bytes)).toBe(words)
})
