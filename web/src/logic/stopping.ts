import { over } from './executionEvents'

/** What stopping an execution means now. */
export interface Stopping {
  /** Why it cannot be stopped. */
  why?: string
  /** Where it stops. */
  point: string
  /** Whether what was done is undone. */
  undoes: boolean
}

/**
 * At what point an execution stops when somebody asks for it (`act::store::human::cancel`): before
 * its start at once; while it acts before its next step, and then what it did is undone.
 */
export function stopping(execution: {
  state: string
  cancel_requested: boolean
  rollback_reason?: string | null
}): Stopping {
  const { state, cancel_requested: asked, rollback_reason: back } = execution
  const none = (why: string) => ({ why, point: '', undoes: false })
  if (over(state)) return none('It is over.')
  if (state === 'rolling_back') return none('It is on its way back already.')
  if (asked && ['in_progress', 'verifying'].includes(state)) {
    return none('Somebody asked to stop it already: it stops before its next step.')
  }
  if (state === 'needs_human') {
    if (back) return none('It is on its way back: say first what became of the undo.')
    return { point: 'It goes on from here only to go back.', undoes: true }
  }
  if (state === 'in_progress' || state === 'verifying') {
    return {
      point: 'It stops before its next step. What runs just now runs to its end or its time limit.', undoes: true,
    }
  }
  return {
    point: 'It has not started: it ends at once, and nothing ran. Its approval and its request are closed.',
    undoes: false,
  }
}

/** What the plan says of a step, as far as going back is concerned. */
interface Undoable {
  order: number
  stage: string
  semantics: string
  undo: Record<string, unknown>
}

/** What may have changed something, in the order it would be undone; and what cannot be. */
export interface Back<Run> {
  undone: Run[]
  left: Run[]
}

/** What would be undone now, the last that ended first, by the plan (`act::decide::back`). */
export function back<Run extends { order: number; resource_id: string; state: string; completed_at?: string | null }>(
  runs: readonly Run[], steps: readonly Undoable[],
): Back<Run> {
  const of = new Map(steps.map((step) => [step.order, step]))
  const acted = runs.filter((run) => {
    const step = of.get(run.order)
    if (!step || step.semantics === 'read') return false
    const may = step.stage === 'act' || step.undo[run.resource_id] !== undefined
    return may && ['running', 'succeeded', 'failed', 'timed_out', 'unknown'].includes(run.state)
  })
  // What has not ended ends last.
  const ended = (run: Run) => (run.completed_at ? Date.parse(run.completed_at) : Number.MAX_SAFE_INTEGER)
  const sorted = [...acted].sort((one, other) => ended(other) - ended(one) || other.order - one.order)
  const undoable = (run: Run) => of.get(run.order)?.undo[run.resource_id] !== undefined
  return { undone: sorted.filter(undoable), left: sorted.filter((run) => !undoable(run)) }
}
