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
export interface Bar {
  left: number
  width: number
}

/** The smallest bar that can be seen, in hundredths. */
const LEAST = 0.6
/** While something runs an axis grows by steps of this many ms at least, and of an eighth of its length at most. */
const STEP_MS = 10_000

const startOf = ({ started_at: at }: Placed) => (at ? Date.parse(at) : NaN)
const endOf = ({ completed_at: at }: Placed, now: number) => {
  const ended = at ? Date.parse(at) : NaN
  return Number.isNaN(ended) ? now : ended
}

/** A time axis, in ms, and what began on it. */
export interface Axis<Run> {
  from: number
  to: number
  runs: Run[]
}

/**
 * The axis of step runs, in the order they began: from the first start to the last end. While some
 * run it ends a little after now, and moves on by steps: what is over stays where it is drawn.
 */
export function axis<Run extends Placed>(runs: readonly Run[], now: number): Axis<Run> {
  // Read once each: there may be thousands.
  const began = runs.map((run) => ({ run, start: startOf(run), end: endOf(run, NaN) }))
    .filter(({ start }) => !Number.isNaN(start))
  if (began.length === 0) return { from: now, to: now, runs: [] }
  let [from, to, open] = [Infinity, -Infinity, false]
  for (const { start, end } of began) {
    const goesOn = Number.isNaN(end)
    from = Math.min(from, start)
    to = Math.max(to, start, goesOn ? now : end)
    open ||= goesOn
  }
  if (open) {
    const step = STEP_MS * 2 ** Math.max(0, Math.floor(Math.log2((to - from) / STEP_MS / 8)) + 1)
    to = from + (Math.floor((to - from) / step) + 1) * step
  }
  began.sort((one, other) => one.start - other.start || one.run.order - other.run.order)
  return { from, to, runs: began.map(({ run }) => run) }
}

/** Where a step run that began stands on an axis; what has not ended goes on until now. */
export function bar(run: Placed, { from, to }: { from: number; to: number }, now: number): Bar {
  const length = Math.max(to - from, 1)
  const start = startOf(run)
  const end = Math.max(start, endOf(run, now))
  const width = Math.min(Math.max(((end - start) / length) * 100, LEAST), 100)
  return { left: Math.min(((start - from) / length) * 100, 100 - width), width }
}
