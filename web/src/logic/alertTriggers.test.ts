import { expect, test } from 'vitest'
import { readAlertTriggers, whyNotMatched } from './alertTriggers'

const trigger = (runbook: string, name: string, verdicts: [string, boolean, string][], chosen = false) => ({
  runbook_id: `rbk_${runbook}`, runbook, trigger_id: `trg_${name}`, trigger: name, priority: 100, chosen,
  matched: verdicts.every(([, holds]) => holds),
  verdicts: verdicts.map(([criterion, holds, reason]) => ({ criterion, holds, reason })),
})

const asked = { intent_id: 'int_1', execution_id: 'exe_1', approval_id: null, state: 'pending', verdict: 'allow' }

const report = {
  triggers: [
    trigger('aaa', 'by name', [['firing', true, 'the alert is firing'], ['alert_name', false, 'X* does not match Y']]),
    trigger('restart', 'down', [['firing', true, 'the alert is firing']], true),
    trigger('aaa', 'by label', [
      ['labels', false, 'the label service is missing'], ['severity', false, 'high does not match low'],
    ]),
  ],
  started: [{ runbook: 'restart', asked }],
}

test('triggers stand under their runbooks, those that matched first', () => {
  const { runbooks } = readAlertTriggers(report)
  expect(runbooks.map(({ name, matched, triggers }) => [name, matched, triggers.length])).toEqual([
    ['restart', true, 1], ['aaa', false, 2],
  ])
  expect(runbooks[0]?.started?.asked).toEqual({
    intent: 'int_1', execution: 'exe_1', state: 'pending', verdict: 'allow', plan: undefined, approval: undefined,
  })
  expect(runbooks[1]?.started).toBeUndefined()
})

test('a trigger says why it did not match, and all of it', () => {
  const triggers = readAlertTriggers(report).runbooks[1]?.triggers ?? []
  expect(triggers.map(whyNotMatched)).toEqual([
    'X* does not match Y', 'the label service is missing; high does not match low',
  ])
  expect(triggers[0]?.verdicts.map((verdict) => verdict.holds)).toEqual([false, true])
})

test('an alert that was over before anybody looked says so', () => {
  expect(readAlertTriggers({ resolved: 'nothing to do' })).toEqual({ resolved: 'nothing to do', runbooks: [] })
})

test.each([null, undefined, 'x', 4, { triggers: 'x', started: {} }])('%j is an empty report', (value) => {
  expect(readAlertTriggers(value).runbooks).toEqual([])
})

test('triggers that say little are shown as they are', () => {
  const { runbooks } = readAlertTriggers({
    triggers: [null, { verdicts: [null] }], started: [{ runbook: 'A runbook', cooldown: 'just now' }],
  })
  expect(runbooks).toHaveLength(1)
  expect(runbooks[0]?.started?.cooldown).toBe('just now')
  expect(runbooks[0]?.triggers.map((one) => one.matched)).toEqual([false, false])
  const silent = { id: '', name: '', priority: 0, matched: false, chosen: false, verdicts: [] }
  expect(whyNotMatched(silent)).toMatch(/not say/)
})
