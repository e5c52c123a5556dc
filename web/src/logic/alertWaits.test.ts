import { expect, test } from 'vitest'
import { alertWaits } from './alertWaits'

test.each([
  [{ analyzed: false, action_taken: 'auto_analyze' }, true],
  [{ analyzed: true, action_taken: 'auto_analyze' }, false],
  [{ analyzed: false, action_taken: 'manual' }, false],
  [undefined, false],
])('%j waits: %s', (alert, waits) => {
  expect(alertWaits(alert)).toBe(waits)
})
