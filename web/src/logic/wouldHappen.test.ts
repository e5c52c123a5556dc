import { expect, test } from 'vitest'
import { shown } from './planDocument'
import { called, readWouldHappen, undoing } from './wouldHappen'

const evaluated = {
  verdict: 'require_approval',
  reasons: [
    { judge: 'policy', code: 'prod_requires_approval', verdict: 'require_approval', message: 'production asks' }, null,
  ],
  guards: [{ guard: 'blackout', verdict: 'deny', code: 'closed', message: 'a freeze', until: '2026-03-01T00:00:00Z' }],
  approval: { tier: 'high', roles: ['approver', 'admin'], min_votes: 2, ttl_s: 3600 },
  risk: { input: {}, assessment: { tier: 'high', score: 0.61 } },
  plan: {
    targets: [
      { resource_id: 'res_1', name: 'web-1', environment: 'prod', host: '10.0.0.1' },
      { resource_id: 'res_2', name: 'web-1', environment: 'staging', host: '10.0.1.1' },
    ],
    steps: [{
      order: 1, name: 'Restart', description: null, stage: 'act', action: 'host.service.restart',
      semantics: 'idempotent',
      scripts: {
        res_1: [{ text: 'echo ' }, { slot: { name: 'execution.id', pattern: '.*', tainted: false } }],
        res_2: [{ text: 'x' }],
      },
      undo: { res_1: [{ text: 'y' }] },
    }],
  },
}

test('an evaluation is read: verdict, reasons, guards, approval, targets and commands', () => {
  const read = readWouldHappen(evaluated)
  expect(read).toMatchObject({
    verdict: 'require_approval', tier: 'high', score: 0.61,
    approval: { tier: 'high', roles: ['approver', 'admin'], votes: 2, seconds: 3600 },
  })
  expect(read.reasons).toHaveLength(2)
  expect(read.guards[0]?.until).toBe('2026-03-01T00:00:00Z')
  expect(shown(read.plan.steps[0]?.scripts.res_1 ?? [])).toBe('echo <execution.id>')
})

test('targets of one name are told apart', () => {
  expect(readWouldHappen(evaluated).plan.targets.map(called))
    .toEqual(['web-1 (prod, 10.0.0.1)', 'web-1 (staging, 10.0.1.1)'])
  expect(called({ id: 'res_1', name: '', environment: '', host: '' })).toBe('res_1')
})

test.each([
  ['idempotent', { res_1: [], res_2: [] }, 'can be undone'],
  ['idempotent', { res_1: [] }, 'can be undone on some targets alone'],
  ['idempotent', {}, 'cannot be undone'],
  ['read', {}, undefined],
])('a step of %s with the undo %j: %s', (semantics, undo, expected) => {
  const plan = { steps: [{ ...evaluated.plan.steps[0], semantics, undo }] }
  expect(readWouldHappen({ ...evaluated, plan }).plan.steps.map(undoing)).toEqual([expected])
})

test('nothing missing throws', () => {
  expect(readWouldHappen({ verdict: 'deny', reasons: null, guards: 3, approval: null, risk: [], plan: 'x' })).toEqual({
    verdict: 'deny', tier: undefined, score: undefined, reasons: [], guards: [], approval: undefined,
    plan: {
      runbook: { id: '', name: '', version: undefined }, steps: [], targets: [], maxParallel: undefined,
      timeoutS: undefined,
    },
  })
})

test('an exact score comes as a text', () => {
  const risk = { assessment: { score: '0.125' } }
  expect(readWouldHappen({ ...evaluated, risk }).score).toBe(0.125)
  expect(readWouldHappen({ ...evaluated, risk: { assessment: { score: 'x' } } }).score).toBeUndefined()
})
