import { expect, test } from 'vitest'
import { back, stopping } from './stopping'

const at = (state: string, asked = false, why: string | null = null) =>
  stopping({ state, cancel_requested: asked, rollback_reason: why })

test.each(
  ['queued', 'preflight', 'awaiting_approval', 'approved'],
)('%s: it ends at once and undoes nothing', (state) => {
  expect(at(state)).toMatchObject({ undoes: false })
  expect(at(state).why).toBeUndefined()
})

test.each(['in_progress', 'verifying', 'needs_human'])('%s: it stops and goes back', (state) => {
  expect(at(state)).toMatchObject({ undoes: true })
  expect(at(state).why).toBeUndefined()
})

test.each([
  ['completed', false, null], ['failed', false, null], ['rolled_back', false, 'cancelled'],
  ['rolling_back', false, 'step_failed'],
  ['in_progress', true, null], ['needs_human', false, 'step_failed'],
])('%s, asked before: %s, going back because of %s: it cannot be stopped', (state, asked, why) => {
  expect(at(state, asked, why).why).toBeTruthy()
})

const run = (order: number, state: string, ended: number | null, resource_id = 'r') => ({
  order, state, resource_id, completed_at: ended === null ? null : new Date(ended).toISOString(),
})
const step = (order: number, semantics: string, undo: object, stage = 'act') => (
  { order, stage, semantics, undo: undo as Record<string, unknown> }
)

test('what acted is undone in the reverse order of its ending; what has no undo stays', () => {
  const steps = [
    step(1, 'idempotent', { r: [] }), step(2, 'at_most_once', {}), step(3, 'idempotent', { r: [] }),
    step(4, 'read', { r: [] }),
  ]
  const runs = [run(1, 'succeeded', 10), run(2, 'succeeded', 20), run(3, 'running', null), run(4, 'succeeded', 30)]
  const way = back(runs, steps)
  expect(way.undone.map((one) => one.order)).toEqual([3, 1])
  expect(way.left.map((one) => one.order)).toEqual([2])
})

test('what did not run, and checks without an undo, are no part of the way back', () => {
  const steps = [
    step(1, 'idempotent', { r: [] }), step(2, 'idempotent', {}, 'verify'), step(3, 'idempotent', { r: [] }, 'verify'),
  ]
  const runs = [run(1, 'pending', null), run(2, 'succeeded', 1), run(3, 'failed', 2)]
  expect(back(runs, steps)).toEqual({ undone: [runs[2]], left: [] })
  expect(back([run(9, 'succeeded', 1)], steps)).toEqual({ undone: [], left: [] })
})
