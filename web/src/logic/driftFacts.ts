import { asList, asNumber, asRecord, asText, asTexts } from './loose'

/** What a drift is weighed on. */
export const AXES = ['security', 'performance', 'cost', 'compliance'] as const
export type Axis = (typeof AXES)[number]

/** One axis: 0 to 1, absent where nobody said. */
export interface AxisScore {
  axis: Axis
  score: number | undefined
}

/** A row of the rules that counted. */
export interface AxisReason {
  /** The property; empty for the resource as a whole. */
  path: string
  why: string
  scores: AxisScore[]
}

/** What a drift means, on its four axes. */
export interface Assessed {
  axes: AxisScore[]
  reasons: AxisReason[]
}

const within = (value: unknown): number | undefined => {
  const number = asNumber(value)
  return number === undefined ? undefined : Math.min(1, Math.max(0, number))
}

const scored = (value: Record<string, unknown>): AxisScore[] =>
  AXES.map((axis) => ({ axis, score: within(value[axis]) }))

/** Reads `risk_assessment` of a drift: an axis by its name, and `reasons` with the same names. */
export function readAssessment(value: unknown): Assessed {
  const said = asRecord(value)
  const reasons = asList(said.reasons).map((one): AxisReason => {
    const reason = asRecord(one)
    return { path: asText(reason.path) ?? '', why: asText(reason.why) ?? '', scores: scored(reason) }
  })
  return { axes: scored(said), reasons: reasons.filter((reason) => reason.why !== '' || reason.path !== '') }
}

/** The word of a score of 0 to 1: below .3 low, below .6 medium, below .8 high, as the server cuts it. */
export function severityOf(score: number): 'low' | 'medium' | 'high' | 'critical' {
  if (score < 0.3) return 'low'
  if (score < 0.6) return 'medium'
  return score < 0.8 ? 'high' : 'critical'
}

/** What a scan says a drift is about. */
export interface DriftSubject {
  /** What its declaration calls it. */
  address?: string
  type?: string
  /** What its provider calls it. */
  id?: string
  /** Whatever else its reporter knows, as texts. */
  more: [string, string][]
}

/** Reads `metadata` of a drift. */
export function readSubject(value: unknown): DriftSubject {
  const { address, type, id, ...rest } = asRecord(value)
  const more = Object.entries(rest).map(([name, one]): [string, string] => [
    name, typeof one === 'string' ? one : (JSON.stringify(one) ?? ''),
  ])
  return { address: asText(address), type: asText(type), id: asText(id), more }
}

/** An event that belongs to a finding, as the server keeps a line of it. */
export interface EventLine {
  at?: string
  until?: string
  /** Whether it lasted at the moment of the finding. */
  during: boolean
  /** What the two have in common. */
  matched: string[]
  severity?: string
  summary?: string
  actor?: string
}

/** Reads `event_data` of a correlation. */
export function readEvent(value: unknown): EventLine {
  const said = asRecord(value)
  return {
    at: asText(said.at),
    until: asText(said.until),
    during: said.during === true,
    matched: asTexts(said.matched),
    severity: asText(said.severity),
    summary: asText(said.summary) ?? asText(said.message) ?? asText(said.title),
    actor: asText(said.actor),
  }
}

/** How the network and the login of a call looked, where its system says. */
export interface CallLine {
  sourceAddress?: string
  userAgent?: string
  role?: string
  actorType?: string
  error?: string
}

/** Reads `data` of a change event; the names are those of calls that clouds record. */
export function readCall(value: unknown): CallLine {
  const said = asRecord(value)
  return {
    sourceAddress: asText(said.source_ip) ?? asText(said.address),
    userAgent: asText(said.user_agent),
    role: asText(said.role),
    actorType: asText(said.actor_type),
    error: asText(said.error),
  }
}
