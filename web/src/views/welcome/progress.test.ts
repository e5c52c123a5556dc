import { expect, test } from 'vitest'
import { firstOpen } from './progress'

const all = { hosts: true, source: true, runbook: true, colleague: true, alert: true, ran: true }

test('the first that is not done is where one goes on', () => {
  expect(firstOpen({ ...all, hosts: false, ran: false })).toBe(0)
  expect(firstOpen({ ...all, colleague: false })).toBe(3)
  expect(firstOpen({ ...all, ran: false })).toBe(5)
  expect(firstOpen(all)).toBe(6)
})
