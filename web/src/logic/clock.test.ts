import { expect, test } from 'vitest'
import { skew } from './clock'

const AT = Date.parse('2026-05-01T12:00:00Z')

test.each([
  ['Fri, 01 May 2026 12:00:00 GMT', 0],
  ['Fri, 01 May 2026 12:00:02 GMT', 0],
  ['Fri, 01 May 2026 11:50:00 GMT', -600_000],
  ['Fri, 01 May 2026 12:10:00 GMT', 600_000],
  ['yesterday', undefined],
  [null, undefined],
])('the server says %s', (date, ahead) => {
  expect(skew(date, AT)).toBe(ahead)
})
