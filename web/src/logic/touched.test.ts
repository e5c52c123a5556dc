import { expect, test } from 'vitest'
import { touchedBy } from './touched'

test.each([
  ['approval', 'approvals'],
  ['approval', 'dashboard'],
  ['breaker', 'circuit-breakers'],
  ['policy_bundle', 'policies'],
  ['alert_source', 'alert-sources'],
  ['blackout_window', 'blackout-windows'],
  ['retention', 'retention'],
  ['legal_hold', 'legal-holds'],
])('an event about a %s changes %s', (type, collection) => {
  expect(touchedBy(type)).toContain(collection)
})
