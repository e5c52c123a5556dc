/** What is needed of an execution to count it. */
interface Run {
  state: string
  duration_ms?: number | null
}

/** What became of a runbook's runs. */
export interface RunFigures {
  seen: number
  /** Ended as wanted, verified. */
  completed: number
  /** Ended otherwise after it began: failed, undone, unknown. */
  failed: number
  /** Never began: refused, denied, expired, cancelled. */
  stopped: number
  /** Under way or waiting. */
  open: number
  /** Half of those that completed took less, in ms. */
  median: number | undefined
}

const FAILED = new Set([
  'failed', 'timed_out', 'rolled_back', 'partially_rolled_back', 'rollback_failed', 'needs_human',
])
const STOPPED = new Set(['blocked', 'denied', 'expired', 'cancelled'])

/** Counts runs by how they ended; the words are those of `crates/model/src/execution.rs`. */
export function runFigures(runs: Run[]): RunFigures {
  const completed = runs.filter((run) => run.state === 'completed')
  const failed = runs.filter((run) => FAILED.has(run.state)).length
  const stopped = runs.filter((run) => STOPPED.has(run.state)).length
  const times = completed.map((run) => run.duration_ms).filter((ms) => typeof ms === 'number').sort((a, b) => a - b)
  const upper = times[Math.floor(times.length / 2)]
  const lower = times[Math.floor((times.length - 1) / 2)]
  return {
    seen: runs.length,
    completed: completed.length,
    failed,
    stopped,
    open: runs.length - completed.length - failed - stopped,
    median: upper !== undefined && lower !== undefined ? (upper + lower) / 2 : undefined,
  }
}

/** How a runbook's runs of the last 30 days went, as lists tell it. */
export interface LatelyRun {
  runs: number
  completed: number
  failed: number
}

/** The same in a few words, and in all of them. */
export function latelyInWords({ runs, completed, failed }: LatelyRun): { short: string; long: string } {
  if (runs === 0) return { short: 'none', long: 'None began in the last 30 days.' }
  const rest = Math.max(0, runs - completed - failed)
  const parts = [
    `${completed} completed`,
    failed > 0 && `${failed} failed or undone`,
    rest > 0 && `${rest} under way or stopped`,
  ].filter((part) => part !== false)
  return {
    short: failed > 0 ? `${runs}, ${failed} failed` : String(runs),
    long: `${runs} began in the last 30 days: ${parts.join(', ')}.`,
  }
}
