import { expect, test } from 'vitest'
import { changeInWords, readEvaluation, rendered, scriptText, verdictInWords } from './evaluation'

const TARGET = { resource_id: 'res_1', name: 'web-1', host: '10.0.0.1', port: 22, username: 'ops', environment: 'prod' }

test('an evaluation is read with its plan', () => {
  const evaluation = readEvaluation({
    verdict: 'require_approval',
    reasons: [{ judge: 'policy', code: 'prod', verdict: 'require_approval', message: 'production asks' }],
    guards: [{ guard: 'blackout', verdict: 'deny', code: 'window', message: 'closed', until: '2026-01-01T00:00:00Z' }],
    approval: { tier: 'high', roles: ['admin', 'approver'], min_votes: 2, ttl_s: 14_400 },
    risk: {
      input: { blast: { irreversible: true } },
      assessment: { tier: 'high', score: '0.25', estimate: { n: 4, interval: { low: '0.1', high: '0.5' } } },
    },
    counterfactual: [{ change: 'reversible' }, { change: 'unheard_of' }],
    plan_hash: 'abc',
    plan: {
      runbook: { id: 'rbk_1', name: 'restart', version: 3 },
      targets: [TARGET, { ...TARGET, resource_id: 'res_2', name: 'web-2', port: 2222 }],
      max_parallel: 5,
      timeout_s: 300,
      steps: [{
        order: 1, name: 'Restart', stage: 'act', action: 'host.service.restart', semantics: 'at_most_once',
        scripts: { res_1: [{ text: 'restart a' }], res_2: [{ text: 'restart a' }] },
        undo: { res_1: [{ text: 'stop a' }], res_2: [{ text: 'stop b' }] },
        expected_exit_codes: [0], timeout_s: 60, evidence: [{ type: 'log', query: 'both' }],
      }],
    },
  })
  expect(evaluation).toMatchObject({
    verdict: 'require_approval', tier: 'high', score: 0.25, interval: { low: 0.1, high: 0.5 }, outcomes: 4,
    irreversible: true, requirement: { votes: 2 }, runbook: { name: 'restart', version: 3 }, timeout: 300, parallel: 5,
  })
  expect(evaluation.changes).toEqual(['Make every step that acts reversible: give each a rollback_command.'])
  expect(evaluation.targets.map((target) => target.reached)).toEqual(['ops@10.0.0.1', 'ops@10.0.0.1:2222'])
  expect(evaluation.steps[0]?.commands).toEqual([{ text: 'restart a', targets: ['web-1', 'web-2'] }])
  expect(evaluation.steps[0]?.undo).toEqual([
    { text: 'stop a', targets: ['web-1'] }, { text: 'stop b', targets: ['web-2'] },
  ])
  expect(evaluation.guards[0]?.until).toBe('2026-01-01T00:00:00Z')
})

const ODD = [null, undefined, [], 'x', { plan: [], risk: null, guards: {}, reasons: [null], approval: null }]

test.each(ODD)('nothing breaks on %j', (value) => {
  expect(readEvaluation(value)).toMatchObject({ steps: [], targets: [], requirement: undefined })
})

test('slots stand in a script by their names', () => {
  const slot = { name: 'steps.pid.stdout', pattern: '[0-9]+', tainted: true }
  expect(scriptText([{ text: 'kill ' }, { slot }, { text: '\n' }]))
    .toBe('kill <steps.pid.stdout>\n')
  expect(scriptText(null)).toBe('')
})

test('a host nobody named goes by its id', () => {
  expect(rendered({ res_9: [{ text: 'x' }] }, new Map())).toEqual([{ text: 'x', targets: ['res_9'] }])
})

test.each([
  [{ change: 'environment', class: 'staging' }, 'Run it in an environment of the class staging.'],
  [{ change: 'fewer_targets', targets: 1 }, 'Run it on at most 1 host.'],
  [{ change: 'more_successes', successes: 12 }, 'First let 12 more changes of this kind succeed, verified.'],
  [{ change: 'lower_tier', tier: 'low' }, 'Use actions of the tier low or below.'],
  [{}, ''],
])('%j in words', (change, expected) => {
  expect(changeInWords(change)).toBe(expected)
})

test.each([
  [{ verdict: 'allow' }, 'It would start at once; nobody else is asked.'],
  [{ verdict: 'deny' }, 'It would be refused. Nothing would run, and the refusal is recorded.'],
  [{ verdict: 'require_approval' }, 'It would wait until somebody approves.'],
  [
    { verdict: 'require_approval', approval: { roles: ['admin', 'approver'], min_votes: 1, ttl_s: 14_400 } },
    'It would wait for 1 approving vote of admin or approver, for 4 hours at most.',
  ],
  [
    { verdict: 'require_approval', approval: { roles: [], min_votes: 2, ttl_s: 600 } },
    'It would wait for 2 approving votes of somebody, for 10 minutes at most.',
  ],
])('%j says what happens', (value, expected) => {
  expect(verdictInWords(readEvaluation(value))).toBe(expected)
})
