/** Where an execution may stand, those that need somebody or run first (`model::execution`). */
export const STATES = [
  'needs_human', 'rollback_failed', 'rolling_back', 'in_progress', 'verifying', 'approved', 'awaiting_approval',
  'preflight', 'queued', 'completed', 'failed', 'timed_out', 'rolled_back', 'partially_rolled_back', 'cancelled',
  'blocked', 'denied', 'expired',
] as const

/** States in which something happens, or waits to. */
export const UNDER_WAY: readonly string[] = STATES.slice(0, 9).filter((state) => state !== 'rollback_failed')

/** Spans a list may be cut by: in ms, and in words. */
export const SPANS: Record<string, [number, string]> = {
  '1h': [3_600_000, 'the last hour'],
  '24h': [86_400_000, 'the last day'],
  '7d': [7 * 86_400_000, 'the last week'],
  '30d': [30 * 86_400_000, 'the last 30 days'],
}

/** The names in the URL by which executions are narrowed. */
export const FILTERS = ['q', 'state', 'mode', 'runbook', 'resource', 'by', 'since'] as const

type Search = Record<string, string | undefined>

/** What the API is asked for. */
export interface ExecutionQuery {
  q?: string
  state?: string[]
  mode?: string[]
  runbook_id?: string[]
  resource_id?: string[]
  initiated_by?: string[]
  created_at_from?: string
  sort?: 'created_at' | '-created_at'
}

/** Several words in one name of a URL. */
export const several = (text: string | undefined) => (text ?? '').split(',').filter((word) => word !== '')

/** What a URL asks for. A word that nobody knows is passed on: the server says that it is none. */
export function toQuery(search: Search, me: string, now: number): ExecutionQuery {
  const query: ExecutionQuery = {}
  if (search.q) query.q = search.q.slice(0, 200)
  const states = several(search.state)
  if (states.length > 0) query.state = states
  if (search.mode) query.mode = [search.mode]
  if (search.runbook) query.runbook_id = [search.runbook]
  if (search.resource) query.resource_id = [search.resource]
  if (search.by) query.initiated_by = [search.by === 'me' ? me : search.by]
  const from = beginning(search.since, now)
  if (from !== undefined) query.created_at_from = new Date(from).toISOString()
  if (search.sort === 'created_at' || search.sort === '-created_at') query.sort = search.sort
  return query
}

/** When a span that ends at `now` began, in ms; none when nobody knows the span. */
export function beginning(since: string | undefined, now: number): number | undefined {
  const span = since !== undefined && Object.hasOwn(SPANS, since) ? SPANS[since] : undefined
  return span && now - span[0]
}

/** Whether anything is narrowed. */
export const narrowed = (search: Search) => FILTERS.some((name) => search[name])

/** Executions under way: what needs a person first, then what runs, each by its age. */
export function firstUnderWay<Row extends { state: string; created_at: string }>(rows: readonly Row[]): Row[] {
  const rank = (row: Row) => {
    const at = UNDER_WAY.indexOf(row.state)
    return at < 0 ? UNDER_WAY.length : at
  }
  return [...rows].sort((one, other) => rank(one) - rank(other) || one.created_at.localeCompare(other.created_at))
}
