import { expect, test } from 'vitest'
import { ago, duration } from './time'

const NOW = Date.UTC(2026, 10, 22, 12)

test.each([
  [0, 'now'],
  [-4_000, 'now'],
  [-42_000, '42 sec. ago'],
  [-90_000, '1 min. ago'],
  [-3 * 3_600_000, '3 hr. ago'],
  [-26 * 3_600_000, 'yesterday'],
  [2 * 3_600_000 + 5, 'in 2 hr.'],
  [-20 * 86_400_000, '2 wk. ago'],
])('%d ms from now is %s', (offset, said) => {
  expect(ago(NOW + offset, NOW)).toBe(said)
})

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [999.7, '1.0 s'],
  [9_970, '10 s'],
  [59_700, '1 min 0 s'],
  [239_600, '4 min 0 s'],
  [3_599_800, '1 h 0 min'],
  [4_240, '4.2 s'],
  [59_000, '59 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [180_000_000, '2 d 2 h'],
])('%d ms is %s', (ms, said) => {
  expect(duration(ms)).toBe(said)
})
