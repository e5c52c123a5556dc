import { expect, test } from 'vitest'
import { readAttribution, readDecided, readFactors, readTimes } from './causeFacts'

test.each([
  [{ by: 'rules', version: 1 }, 'the stated evidence, version 1'],
  [{ by: 'model', name: 'drift-cause', version: '2026-03' }, 'the model drift-cause 2026-03'],
  [{ by: 'person', id: 'act_1' }, 'a person'],
  [{ by: 'exception', id: 'exc_1' }, 'an approved exception'],
  [{ by: 'oracle' }, 'oracle'],
  [null, 'whoever reported it'],
])('%j is %s', (value, words) => expect(readDecided(value).words).toBe(words))

test('the likeliest cause comes first, and what is no number is nothing', () => {
  const posteriors = { emergency_fix: 0.1, configuration_error: 0.7, security_response: 'x' }
  expect(readDecided({ by: 'rules', posteriors }).shares).toEqual([
    { cause: 'configuration_error', share: 0.7 }, { cause: 'emergency_fix', share: 0.1 },
    { cause: 'security_response', share: 0 },
  ])
})

test('factors of ours and of others are read', () => {
  const ours = { id: 'no_ticket', words: 'no ticket', cause: 'x', weight: 0.3, toward: -0.3, evidence: 'T-1' }
  expect(readFactors([ours])).toEqual([
    { id: 'no_ticket', words: 'no ticket', cause: 'x', weight: 0.3, toward: -0.3, evidence: 'T-1' },
  ])
  expect(readFactors(['somebody was tired', { factor: 'late', weight: '3' }, { odd: 1 }]).map((one) => one.words))
    .toEqual(['somebody was tired', 'late', '{"odd":1}'])
  expect(readFactors(undefined)).toEqual([])
})

test('who it was is said in words', () => {
  expect(readAttribution({ actor: 'ada', kind: 'sso', tool: 'console', mfa: true })).toEqual({
    actor: 'ada', kind: 'a person through single sign-on', tool: 'the web console', mfa: true, breakGlass: undefined,
  })
  expect(readAttribution({ kind: 'ghost' }).kind).toBe('ghost')
})

test('when it was is said in sentences, and only what is known', () => {
  expect(readTimes({
    local_time: '02:12', weekday: 6, exact: true, freeze: true, inside_change_window: false,
    missing: ['change_calendar'],
  }))
    .toEqual([
      'Changed on a Sunday at 02:12 on the clock of those who work there',
      'No change window was open', 'Changes were frozen', 'Nothing is known of: change calendar',
    ])
  expect(readTimes({ local_time: '02:12', exact: false }))
    .toEqual(['Noticed at 02:12 on the clock of those who work there'])
  expect(readTimes({})).toEqual([])
})
