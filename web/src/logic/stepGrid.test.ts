import { expect, test } from 'vitest'
import { axis, bar, firstToSee, grid, tally, troubled, type Placed } from './stepGrid'

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
  const runs = [run(2, 'a', 'running', 3_000), run(1, 'a', 'succeeded', 1_000, 2_000), run(3, 'a', 'pending')]
  const found = axis(runs, 5_000)
  expect([found.from, found.to]).toEqual([1_000, 11_000])
  expect(found.runs.map((one) => [one.order, bar(one, found, 5_000)])).toEqual([
    [1, { left: 0, width: 10 }], [2, { left: 20, width: 20 }],
  ])
})

test('when all is over the axis ends with the last', () => {
  const found = axis([run(1, 'a', 'succeeded', 1_000, 2_000), run(2, 'a', 'succeeded', 2_000, 5_000)], 9_000)
  expect([found.from, found.to]).toEqual([1_000, 5_000])
})

test('while something runs the axis stays for some seconds, an eighth of its length at most', () => {
  const runs = [run(1, 'a', 'running', 0)]
  const ends = new Set(Array.from({ length: 600 }, (_, second) => axis(runs, second * 1_000).to))
  expect(ends.size).toBeLessThan(30)
  for (const now of [0, 9_999, 80_000, 81_000, 3_600_000]) {
    const { to } = axis(runs, now)
    expect(to, `${now}`).toBeGreaterThan(now)
    expect(to - now, `${now}`).toBeLessThanOrEqual(Math.max(10_000, now / 4))
  }
})

test('what took no time can be seen, and stays within the axis', () => {
  const found = axis([run(1, 'a', 'succeeded', 0, 100_000), run(2, 'a', 'succeeded', 100_000, 100_000)], 0)
  const last = found.runs[1]
  const drawn = last && bar(last, found, 0)
  expect(drawn && drawn.width > 0 && drawn.left + drawn.width <= 100).toBe(true)
  expect(axis([], 7)).toEqual({ from: 7, to: 7, runs: [] })
})

test('an axis has as many runs as there are', () => {
  const found = axis(Array<Placed>(130_000).fill(run(1, 'a', 'succeeded', 0, 9)), 0)
  expect([found.from, found.to, found.runs.length]).toEqual([0, 9, 130_000])
})
