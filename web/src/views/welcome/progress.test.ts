import { expect, test } from 'vitest'
import { firstOpen, hostsThere } from './progress'

const all = { hosts: true, source: true, runbook: true, colleague: true, alert: true, ran: true }

test('the first that is not done is where one goes on', () => {
  expect(firstOpen({ ...all, hosts: false, ran: false })).toBe(0)
  expect(firstOpen({ ...all, colleague: false })).toBe(3)
  expect(firstOpen({ ...all, ran: false })).toBe(5)
  expect(firstOpen(all)).toBe(6)
})

test.each([
  [false, null, false],
  [true, null, true],
  [true, { wanted: 3, begun: 0, whole: 0 }, true],
  [true, { wanted: 3, begun: 1, whole: 0 }, false],
  [true, { wanted: 3, begun: 2, whole: 1 }, false],
  [true, { wanted: 3, begun: 3, whole: 2 }, false],
  [true, { wanted: 3, begun: 3, whole: 3 }, true],
])('hosts (some: %j, of the demo: %j) are there: %j', (some, demo, expected) => {
  expect(hostsThere(some, demo)).toBe(expected)
})
