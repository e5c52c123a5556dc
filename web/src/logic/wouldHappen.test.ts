import { expect, test } from 'vitest'
import { readWouldHappen, sameCommands, scriptText } from './wouldHappen'

const evaluated = {
  verdict: 'require_approval',
  reasons: [
    { judge: 'policy', code: 'prod_requires_approval', verdict: 'require_approval', message: 'production asks' }, null,
  ],
  guards: [{ guard: 'blackout', verdict: 'deny', code: 'closed', message: 'a freeze', until: '2026-03-01T00:00:00Z' }],
  approval: { tier: 'high', roles: ['approver', 'admin'], min_votes: 2, ttl_s: 3600 },
  risk: { input: {}, assessment: { tier: 'high', score: 0.61 } },
  plan: {
    targets: [{ resource_id: 'res_1', name: 'web-1' }, { resource_id: 'res_2', name: 'web-2' }],
    steps: [{
      order: 1, name: 'Restart', description: null, stage: 'act', action: 'host.service.restart',
      semantics: 'idempotent',
      scripts: {
        res_1: [{ text: 'echo ' }, { slot: { name: 'execution.id', pattern: '.*', tainted: false } }],
        res_9: [{ text: 'x' }],
      },
      undo: {},
    }],
  },
}

test('an evaluation is read: verdict, reasons, guards, approval, targets and commands', () => {
  const read = readWouldHappen(evaluated)
  expect(read).toMatchObject({
    verdict: 'require_approval', tier: 'high', score: 0.61, targets: ['web-1', 'web-2'],
    approval: { tier: 'high', roles: ['approver', 'admin'], votes: 2, seconds: 3600 },
  })
  expect(read.reasons).toHaveLength(2)
  expect(read.guards[0]?.until).toBe('2026-03-01T00:00:00Z')
  expect(read.steps[0]?.commands)
    .toEqual([{ target: 'web-1', script: 'echo <execution.id>' }, { target: 'res_9', script: 'x' }])
  expect(read.steps[0]?.undoable).toBe(false)
})

test('nothing missing throws', () => {
  expect(readWouldHappen({ verdict: 'deny', reasons: null, guards: 3, approval: null, risk: [], plan: 'x' })).toEqual({
    verdict: 'deny', tier: undefined, score: undefined, reasons: [], guards: [], approval: undefined, targets: [],
    steps: [],
  })
  expect(scriptText(null)).toBe('')
  expect(scriptText([{ slot: null }, 'x'])).toBe('<a value><a value>')
})

test('an exact score comes as a text', () => {
  const risk = { assessment: { score: '0.125' } }
  expect(readWouldHappen({ ...evaluated, risk }).score).toBe(0.125)
  expect(readWouldHappen({ ...evaluated, risk: { assessment: { score: 'x' } } }).score).toBeUndefined()
})

test('the same command is shown once', () => {
  const commands = [{ target: 'b', script: 'x' }, { target: 'c', script: 'y' }, { target: 'a', script: 'x' }]
  expect(sameCommands(commands)).toEqual([{ targets: ['a', 'b'], script: 'x' }, { targets: ['c'], script: 'y' }])
})
