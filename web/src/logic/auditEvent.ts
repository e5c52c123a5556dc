import { isObject } from './canonical'
import { maybe, text } from './json'

/** An event of the log as people read it. */
export interface ReadEvent {
  action: string
  at: string | undefined
  actor: { id: string; kind: string; name: string | undefined }
  target: { kind: string; id: string }
  decision: string | undefined
  success: boolean
  error: string | undefined
  /** Everything else that was said. */
  context: Record<string, unknown>
  evidence: string[]
  /** Where it came from, by name. */
  origin: [string, string][]
  /** What was signed in the place of a person's name and address: its salted hash. */
  personal: string | undefined
}

const ORIGIN: [string, string][] = [
  ['ip_address', 'Address'], ['user_agent', 'Program'], ['session_id', 'Session'], ['trace_id', 'Request'],
]

/** Reads an event as the API gives it; what is missing is empty. Bytes that were no JSON have no action. */
export function readAuditEvent(event: unknown): ReadEvent {
  const all = isObject(event) ? event : {}
  const actor = isObject(all.actor) ? all.actor : {}
  const target = isObject(all.target) ? all.target : {}
  return {
    action: text(all.action),
    at: maybe(all.occurred_at),
    actor: { id: text(actor.id), kind: text(actor.type), name: maybe(actor.display_name) },
    target: { kind: text(target.type), id: text(target.id) },
    decision: maybe(all.decision),
    success: all.success === true,
    error: maybe(all.error),
    context: isObject(all.context) ? all.context : {},
    evidence: Array.isArray(all.evidence_refs) ? all.evidence_refs.map(text).filter((id) => id !== '') : [],
    origin: ORIGIN.flatMap(([name, label]): [string, string][] => {
      const value = maybe(all[name])
      return value === undefined ? [] : [[label, value]]
    }),
    personal: maybe(all.personal),
  }
}

/** One thing that was one way before and another after. */
export interface Difference {
  name: string
  before: unknown
  after: unknown
}

/** What an event changed, where it says how it was before and after; none where it does not say. */
export function differences(context: Record<string, unknown>): Difference[] | undefined {
  const { before, after } = context
  if (before === undefined && after === undefined) return undefined
  if (!isObject(before) || !isObject(after)) return [{ name: '', before, after }]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }))
}
