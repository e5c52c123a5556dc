import { expect, test } from 'vitest'
import { bars, firstToSee, grid, tally, troubled, type Placed } from './stepGrid'

const run = (order: number, target: string, state: string, from?: number, to?: number): Placed => ({
  id: `${order}${target}`, order, name: `step ${order}`, stage: order > 1 ? 'verify' : 'act',
  resource_id: `res_${target}`, target, state,
  started_at: from === undefined ? null : new Date(from).toISOString(),
  completed_at: to === undefined ? null : new Date(to).toISOString(),
})

test('runs stand at their step and their target', () => {
  const table = grid([run(2, 'a', 'pending'), run(1, 'a', 'succeeded'), run(1, 'b', 'failed')])
  expect(table.steps.map((step) => step.order)).toEqual([1, 2])
  expect(table.targets.map((target) => [target.name, target.runs.map((one) => one?.state)])).toEqual([
    ['a', ['succeeded', 'pending']], ['b', ['failed', undefined]],
  ])
})

test('no runs, no grid', () => {
  expect(grid([])).toEqual({ steps: [], targets: [] })
})

test.each([
  [['succeeded', 'failed', 'unknown'], 2],
  [['succeeded', 'running', 'pending'], 1],
  [['succeeded', 'timed_out', 'running'], 1],
  [['skipped', 'succeeded', 'succeeded'], 1],
  [['pending', 'pending'], 0],
])('of %j the first to see is number %i', (states, place) => {
  const runs = states.map((state, at) => run(at, 'a', state))
  expect(firstToSee(runs)).toBe(runs[place])
})

test('of nothing there is none', () => expect(firstToSee([])).toBeUndefined())

test('a target has trouble when a run is neither good nor yet to come', () => {
  expect(troubled([run(1, 'a', 'succeeded'), undefined, run(2, 'a', 'skipped')])).toBe(false)
  for (const state of ['failed', 'unknown', 'undone', 'undo_failed', 'timed_out', 'cancelled']) {
    expect(troubled([run(1, 'a', 'succeeded'), run(2, 'a', state)]), state).toBe(true)
  }
})

test('states are counted', () => {
  expect(
    tally([run(1, 'a', 'failed'), run(1, 'b', 'succeeded'), run(2, 'b', 'succeeded')]),
  ).toEqual([['succeeded', 2], ['failed', 1]])
})

test('bars lie on one axis, what runs goes on until now', () => {
  const axis = bars(
    [run(2, 'a', 'running', 3_000), run(1, 'a', 'succeeded', 1_000, 2_000), run(3, 'a', 'pending')], 5_000,
  )
  expect([axis.from, axis.to]).toEqual([1_000, 5_000])
  expect(axis.bars.map((bar) => [bar.run.order, bar.left, bar.width])).toEqual([[1, 0, 25], [2, 50, 50]])
})

test('what took no time can be seen, and stays within the axis', () => {
  const axis = bars([run(1, 'a', 'succeeded', 0, 100_000), run(2, 'a', 'succeeded', 100_000, 100_000)], 0)
  const last = axis.bars[1]
  expect(last && last.width > 0 && last.left + last.width <= 100).toBe(true)
  expect(bars([], 7)).toEqual({ from: 7, to: 7, bars: [] })
})
