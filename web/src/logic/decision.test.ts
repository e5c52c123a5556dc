import { expect, test } from 'vitest'
import { ARF_1 } from './autonomy'
import {
  percent, readComponents, readConstants, readCounterfactual, readGuards, readReasons, readRecord, rounded,
} from './decision'

const restart = 'host.service.restart'

const record = {
  requester: { id: 'act_1', type: 'user', display_name: 'ada' },
  trigger: 'alert',
  policy_bundle_hash: 'ab',
  plan_hash: 'cd',
  ttl_s: 3600,
  constraints: { max_targets: 5 },
  autonomy: { earned: false, successes: 3, failures: 1, failure_bound: '0.75' },
  risk: {
    assessment: {
      model: 'beta-2', tier: 'high', verdict: 'require_approval', psi: '0.0',
      tiers: { action: 'medium', environment: 'high', blast: 'low', score: 'low' },
      estimate: { alpha: '1.0', beta: '12.0', n: 4, variance: '0.005', interval: { low: '0.0', high: '0.17' } },
      losses: { approve: '1.1', deny: '7.2', escalate: '2.0' },
    },
    input: {
      category: 'compute', impact: '0.0', opportunity: '0.0', predictive: '0.0',
      actions: [
        { action: restart, tier: 'medium', category: 'compute', kind: 'write', irreversible: false, known: true },
      ],
      constants: {
        name: 'other-2',
        priors: { compute: { alpha: '3.0', beta: '4.0' } },
      },
    },
  },
  inputs: {
    question: {
      environments: ['prod'], runbook: 'restart-service',
    },
  },
}

test('a record gives what views show of it', () => {
  const read = readRecord(record)
  expect(read.requester.name).toBe('ada')
  expect(read.belief).toEqual({ alpha: 1, beta: 12, n: 4 })
  expect(read.interval).toEqual({ low: '0.0', high: '0.17' })
  expect(read.tiers).toContainEqual({ side: 'environment', tier: 'high' })
  expect(read.losses?.deny).toBe('7.2')
  expect(read.actions[0]).toMatchObject({ action: restart, known: true })
  expect(read.autonomy).toEqual({ earned: false, successes: 3, failures: 1, failureBound: 0.75 })
  expect(read.constants.name).toBe('other-2')
  expect(read.constants.priors.compute).toEqual({ alpha: 3, beta: 4 })
  expect(read.constants.priors.network).toEqual(ARF_1.priors.network)
})

test('a record of which nothing is understood is empty and breaks nothing', () => {
  for (const broken of [undefined, null, 'x', 4, [], {}, { risk: 'x', inputs: [] }]) {
    const read = readRecord(broken)
    expect(read.belief).toBeUndefined()
    expect(read.constants).toEqual(ARF_1)
  }
})

test('constants that say nothing are those that ship', () => {
  expect(readConstants(null)).toEqual(ARF_1)
})

test('components keep their decimals to the letter', () => {
  const terms = { posterior: '0.0769230769', memory: '0', context: '0.03846153845' }
  const whole = { mean: '0.0769230769', context_factor: '1.5', cut: '0', score: '0.11538461535' }
  const parts = { posterior: '0.0769230769', ...whole, terms }
  expect(readComponents(parts)).toMatchObject({ score: '0.11538461535', memoryWeight: undefined, terms })
  expect(readComponents(null)).toBeUndefined()
})

test('reasons and guards are read one by one', () => {
  expect(readReasons([{ judge: 'policy', code: 'tier', verdict: 'require_approval', message: 'm' }, 3])).toEqual([
    { judge: 'policy', code: 'tier', verdict: 'require_approval', message: 'm' },
    { judge: '', code: '', verdict: '', message: '' },
  ])
  const until = '2024-01-01T00:00:00Z'
  const [guard] = readGuards([{ guard: 'blackout', verdict: 'deny', code: 'blackout', message: 'm', until }])
  expect(guard?.until).toBe(until)
})

test.each([
  [{ change: 'environment', class: 'staging' }, 'It ran in an environment of class staging.'],
  [{ change: 'fewer_targets', targets: 1 }, 'It touched at most 1 target.'],
  [{ change: 'more_successes', successes: 55 }, '55 more changes of this kind had succeeded before, verified.'],
  [{ change: 'lower_tier', tier: 'low' }, 'Its actions were of tier low at most.'],
  [{ change: 'reversible' }, 'Every step of it could be undone.'],
  [{ change: 'later_word', a: 1 }, 'later word: {"a":1}'],
])('the counterfactual %j', (change, sentence) => {
  expect(readCounterfactual([change])).toEqual([sentence])
})

test.each([
  ['0.11538461535', '0.1154'], ['1.50', '1.5'], ['0', '0'], ['10', '10'], ['100.0', '100'], ['NaN', 'NaN'],
  ['-0.25', '-0.25'],
])('%s for the eye', (decimal, short) => {
  expect(rounded(decimal)).toBe(short)
})

test.each([[0.05, '5 %'], [0.0769, '7.7 %'], [0, '0 %'], [1, '100 %']])('%d as a percentage', (value, shown) => {
  expect(percent(value)).toBe(shown)
})
