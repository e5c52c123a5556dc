import { fields, maybe, number, text } from './json'

/** Something that happened in an execution, but for its output. */
export interface Told {
  seq: number
  /** When, ISO 8601; none for the closing word of a stream. */
  at?: string
  /** `state`, `step`, or a word that is new. */
  kind: string
  run?: string
  message: string
  /** Where the step run or the execution stands after it. */
  state?: string
  /** `do` or `undo`. */
  direction?: string
  /** Which attempt, from 1. */
  attempt?: number
  /** How the attempt stands. */
  attemptState?: string
  exitCode?: number
  error?: string
  /** Why it went back. */
  because?: string
}

/** States after which nothing happens by itself any more (`model::execution`). */
const ENDS = new Set([
  'completed', 'blocked', 'denied', 'expired', 'cancelled', 'failed', 'timed_out', 'rolled_back',
  'partially_rolled_back', 'rollback_failed',
])

/** Whether an execution in this state is over. */
export const over = (state: string) => ENDS.has(state)

/** Whether a worker acts on it just now. */
export const acting = (state: string) => ['in_progress', 'verifying', 'rolling_back'].includes(state)

/** What the event stream of an execution says: output is told by the step run alone. */
export type Heard = { told: Told } | { output: string } | undefined

/** Reads one event of the stream. What cannot be read is nothing. */
export function readEvent(json: string): Heard {
  let read: unknown
  try {
    read = JSON.parse(json)
  } catch {
    return undefined
  }
  const event = fields(read)
  const data = fields(event.data)
  const seq = number(event.seq)
  const kind = text(event.event)
  if (seq === undefined || !kind) return undefined
  const run = maybe(data.step_run_id)
  if (kind === 'output') return run ? { output: run } : undefined
  const details = fields(data.details)
  return {
    told: {
      seq,
      at: maybe(event.ts),
      kind,
      run,
      message: text(data.message),
      state: maybe(details.to) ?? maybe(details.state) ?? maybe(data.state),
      direction: maybe(details.direction),
      attempt: number(details.attempt),
      attemptState: maybe(details.attempt_state),
      exitCode: number(details.exit_code),
      error: maybe(details.error),
      because: maybe(details.because),
    },
  }
}

/** One try of a step on a target, or of its undo. */
export interface Attempt {
  run: string
  direction: string
  /** From 1, among those of its run and direction. */
  no: number
  /** `running` until it is closed; then `succeeded`, `failed`, `fenced` or `unknown`. */
  state: string
  began?: string
  ended?: string
  exitCode?: number
  error?: string
}

/** The attempts of each step run, in the order they began. */
export function attempts(told: readonly Told[]): Map<string, Attempt[]> {
  const runs = new Map<string, Attempt[]>()
  for (const event of told) {
    const { run, direction, attempt: no } = event
    if (!run || !direction || no === undefined) continue
    const known = runs.get(run) ?? []
    runs.set(run, known)
    let one = known.find((attempt) => attempt.direction === direction && attempt.no === no)
    if (!one) {
      one = { run, direction, no, state: 'running' }
      known.push(one)
    }
    if (event.attemptState === undefined) {
      one.began = event.at
    } else {
      one.state = event.attemptState
      one.ended = event.at
      one.exitCode = event.exitCode
      one.error = event.error
    }
  }
  return runs
}

/** A step run whose end nobody knows, and in which direction it was going. */
export interface Doubt {
  run: string
  direction: 'do' | 'undo'
}

/** What a person must say the end of, as the server tells it: what was settled meanwhile is not among it. */
export function doubts(steps: readonly { id: string; in_doubt?: string | null }[]): Doubt[] {
  return steps.flatMap(({ id, in_doubt: direction }) =>
    direction === 'do' || direction === 'undo' ? [{ run: id, direction }] : [])
}
