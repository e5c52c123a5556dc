/** A step run, as far as it has a place in the grid. */
export interface Placed {
  id: string
  order: number
  name: string
  stage: string
  resource_id: string
  target: string
  state: string
  started_at?: string | null
  completed_at?: string | null
}

/** Steps across, targets down. */
export interface Grid<Run> {
  steps: { order: number; name: string; stage: string }[]
  targets: { id: string; name: string; runs: (Run | undefined)[] }[]
}

/** Puts step runs in the places of their steps, in the order of the plan, and of their targets. */
export function grid<Run extends Placed>(runs: readonly Run[]): Grid<Run> {
  const steps = new Map<number, { order: number; name: string; stage: string }>()
  for (const { order, name, stage } of runs) if (!steps.has(order)) steps.set(order, { order, name, stage })
  const sorted = [...steps.values()].sort((one, other) => one.order - other.order)
  const place = new Map(sorted.map(({ order }, at) => [order, at]))
  const targets = new Map<string, { id: string; name: string; runs: (Run | undefined)[] }>()
  for (const run of runs) {
    let row = targets.get(run.resource_id)
    if (!row) {
      row = { id: run.resource_id, name: run.target, runs: sorted.map(() => undefined) }
      targets.set(run.resource_id, row)
    }
    row.runs[place.get(run.order) ?? 0] = run
  }
  return { steps: sorted, targets: [...targets.values()] }
}

// What a person looks at first: what nobody knows, what went wrong, what runs.
const FIRST = ['unknown', 'undo_failed', 'failed', 'timed_out', 'running', 'undone', 'cancelled']

/** The step run to be looked at first: what needs somebody or runs; when all went well the first that acted. */
export function firstToSee<Run extends Placed>(runs: readonly Run[]): Run | undefined {
  for (const state of FIRST) {
    const found = runs.find((run) => run.state === state)
    if (found) return found
  }
  return runs.find((run) => run.state === 'succeeded' && run.stage === 'act') ?? runs[0]
}

/** States that are as they should be, or not yet anything. */
const QUIET = ['pending', 'running', 'succeeded', 'skipped']

/** Whether a target has a run that did not go as it should. */
export const troubled = (runs: readonly (Placed | undefined)[]) =>
  runs.some((run) => run !== undefined && !QUIET.includes(run.state))

/** How many step runs are in which state, the most frequent first. */
export function tally(runs: readonly Placed[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].sort((one, other) => other[1] - one[1])
}

/** A bar on a time axis: both in hundredths of its length. */
export interface Bar<Run> {
  run: Run
  left: number
  width: number
}

/** The smallest bar that can be seen, in hundredths. */
const LEAST = 0.6

/** When each step run ran, from the first start to the last end or now (in ms), in the order they began. */
export function bars<Run extends Placed>(
  runs: readonly Run[], now: number,
): { from: number; to: number; bars: Bar<Run>[] } {
  const began = runs.flatMap((run) => {
    const start = run.started_at ? Date.parse(run.started_at) : NaN
    if (Number.isNaN(start)) return []
    const ended = run.completed_at ? Date.parse(run.completed_at) : NaN
    return [{ run, start, end: Math.max(start, Number.isNaN(ended) ? now : ended) }]
  })
  if (began.length === 0) return { from: now, to: now, bars: [] }
  const from = Math.min(...began.map(({ start }) => start))
  const to = Math.max(...began.map(({ end }) => end))
  const length = Math.max(to - from, 1)
  const placed = began
    .sort((one, other) => one.start - other.start || one.run.order - other.run.order)
    .map(({ run, start, end }) => {
      const width = Math.max(((end - start) / length) * 100, LEAST)
      return { run, left: Math.min(((start - from) / length) * 100, 100 - width), width }
    })
  return { from, to, bars: placed }
}
