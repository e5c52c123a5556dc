import { expect, test } from 'vitest'
import { bytes } from './bytes'

test.each<[number | null, string]>([
  [null, '–'],
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [12_400, '12 kB'],
  [3_400_000, '3.4 MB'],
  [5_000_000_000_000_000, '5000 TB'],
])('%s', (size, read) => {
  expect(bytes(size)).toBe(read)
})
