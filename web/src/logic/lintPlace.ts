import type { FieldFault } from '../api/problem'
import { lineOfPointer } from './yamlPlace'

/** Something wrong with a document, as lint tells it. Lines and columns from 1, 0 where unknown. */
export interface LintProblem {
  weight: string
  path: string
  line: number
  column: number
  code: string
  message: string
  hint?: string | null
}

/** A stretch of a text, in UTF-16 units from its beginning. */
export interface Stretch {
  from: number
  to: number
}

/** Where a problem stands: what lint says, else the line of its path. */
export function placeOf(text: string, problem: LintProblem): { line: number; column: number } {
  if (problem.line > 0) return { line: problem.line, column: Math.max(1, problem.column) }
  return { line: lineOfPointer(text, problem.path), column: 1 }
}

/**
 * The stretch of text to mark for a problem: from its place to the end of its line, the white
 * space around it left out. Columns are counted in characters, as lint counts them.
 */
export function stretchOf(text: string, problem: LintProblem): Stretch {
  const place = placeOf(text, problem)
  const lines = text.split('\n')
  const index = Math.min(place.line, lines.length) - 1
  const start = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0)
  const line = (lines[index] ?? '').trimEnd()
  const before = [...line].slice(0, place.column - 1).join('').length
  const first = before < line.length ? before : Math.max(0, line.search(/\S/))
  const blank = /^\s*/.exec(line.slice(first))?.[0].length ?? 0
  return { from: start + first + blank, to: start + line.length }
}

// `crates/act/src/runbook/problem.rs`: "4:12: message [code]; hint", its place in the path's text.
const TOLD = /^(\d+):(\d+): (.*) \[([a-z_0-9]+)\](?:; (.*))?$/s

/**
 * A fault of an import or of a change of status as lint would have told it. `placed` says whether
 * its line is one of the text at hand.
 */
export function faultProblem(fault: FieldFault, placed = true): LintProblem {
  const path = /^\/yaml#(.*)$/.exec(fault.path)?.[1] ?? ''
  const told = TOLD.exec(fault.message)
  if (!told) return { weight: 'error', path, line: 0, column: 0, code: fault.code, message: fault.message }
  return {
    weight: 'error',
    path,
    line: placed ? Number(told[1]) : 0,
    column: placed ? Number(told[2]) : 0,
    code: told[4] ?? fault.code,
    message: told[3] ?? fault.message,
    hint: told[5],
  }
}

/** What a refusal says of the document itself. */
export function documentFaults(problem: { errors: FieldFault[] } | undefined): LintProblem[] {
  return (problem?.errors ?? []).filter((fault) => fault.path.startsWith('/yaml')).map((fault) => faultProblem(fault))
}
