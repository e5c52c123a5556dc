/** What a view has in its URL: text by name. */
export type Search = Record<string, string | undefined>

/** The kinds of findings there are. */
export const KINDS = ['alert', 'drift', 'violation', 'cost', 'exposure'] as const
/** The severities, the worst first. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const
/** Where a finding may stand, what needs somebody first. */
export const STATUSES = ['open', 'escalated', 'accepted', 'suppressed', 'fixed'] as const
/** The classes of environments, production first. */
export const CLASSES = ['prod', 'staging', 'test', 'dev'] as const

/** Spans that end now, by their word in the URL; `today` begins at midnight where the viewer is. */
export const PERIODS: Record<string, string> = {
  '1h': 'the last hour',
  '24h': 'the last 24 hours',
  today: 'today',
  '7d': 'the last 7 days',
  '30d': 'the last 30 days',
  '90d': 'the last 90 days',
}

/** Names in the URL that say which findings are shown; `sort` says in which order. */
export const FILTER_NAMES = ['q', 'kind', 'severity', 'status', 'environment', 'since', 'from', 'before', 'by'] as const

const SORTS = ['id', '-id', 'severity_rank', '-severity_rank', 'first_seen', '-first_seen'] as const
type Sort = (typeof SORTS)[number]

/** What the list of findings is asked for. */
export interface FindingQuery {
  q?: string
  kind?: string[]
  severity?: string[]
  status?: string[]
  environment_id?: string[]
  first_seen_from?: string
  first_seen_before?: string
  last_seen_from?: string
  last_seen_before?: string
  sort?: Sort
}

interface EnvironmentLike {
  id: string
  class: string
}

const CLASS = 'class:'
const HOUR_MS = 3_600_000
// An id nothing has: a filter that fits no environment shows no finding, and not all of them.
const NOWHERE = '00000000-0000-0000-0000-000000000000'

/** `drift,alert` → `['drift', 'alert']`: each word once, in its order. */
export function chosen(text: string | undefined): string[] {
  return [...new Set((text ?? '').split(',').map((word) => word.trim()).filter((word) => word !== ''))]
}

/** The other way; `undefined` where nothing is chosen, which takes the name out of the URL. */
export function written(words: readonly string[]): string | undefined {
  return words.length > 0 ? words.join(',') : undefined
}

/** Whether environments must be known before the list can be asked for: a class is theirs to say. */
export function needsEnvironments(search: Search): boolean {
  return chosen(search.environment).some((word) => word.startsWith(CLASS))
}

/** Where a span of `PERIODS` begins, in ms, seen from `now`; `undefined` for other words. */
export function begins(period: string | undefined, now: number): number | undefined {
  if (period === 'today') return new Date(now).setHours(0, 0, 0, 0)
  const read = /^(\d{1,4})([hd])$/.exec(period ?? '')
  if (!read) return undefined
  return now - Number(read[1]) * (read[2] === 'd' ? 24 : 1) * HOUR_MS
}

function moment(text: string | undefined): string | undefined {
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

function environmentIds(words: string[], environments: EnvironmentLike[]): string[] | undefined {
  if (words.length === 0) return undefined
  const ids = words.flatMap((word) =>
    word.startsWith(CLASS)
      ? environments.filter((one) => one.class === word.slice(CLASS.length)).map((one) => one.id)
      : [word],
  )
  return ids.length > 0 ? [...new Set(ids)] : [NOWHERE]
}

/** The query of the API for what stands in the URL; spans are counted back from `now`, in ms. */
export function toQuery(search: Search, environments: EnvironmentLike[], now: number): FindingQuery {
  const start = begins(search.since, now)
  const from = moment(search.from) ?? (start === undefined ? undefined : new Date(start).toISOString())
  const before = moment(search.before)
  const words = (text: string | undefined) => {
    const all = chosen(text)
    return all.length > 0 ? all : undefined
  }
  const query: FindingQuery = {
    q: search.q?.trim() || undefined,
    kind: words(search.kind),
    severity: words(search.severity),
    status: words(search.status),
    environment_id: environmentIds(chosen(search.environment), environments),
    ...(search.by === 'last_seen'
      ? { last_seen_from: from, last_seen_before: before }
      : { first_seen_from: from, first_seen_before: before }),
    sort: SORTS.find((sort) => sort === search.sort),
  }
  // What is not asked for is left out, so that the same question is the same key.
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as FindingQuery
}

/** Where the whole filtered list is to be had as a file. */
export function exportUrl(query: FindingQuery): string {
  const parameters = new URLSearchParams({ format: 'csv' })
  for (const [name, value] of Object.entries(query) as [string, string | string[]][]) {
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, one)
  }
  return `/api/v1/findings/export?${parameters.toString()}`
}

/** How many filters there are in the URL. */
export function filtering(search: Search): number {
  return FILTER_NAMES.filter((name) => name !== 'by' && search[name]).length
}

/** A moment as a `datetime-local` field has it, in the viewer's zone. */
export function toField(iso: string | undefined): string {
  const at = Date.parse(iso ?? '')
  if (Number.isNaN(at)) return ''
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

/** The other way: what such a field says as a moment; `undefined` when it is empty. */
export function fromField(text: string): string | undefined {
  return moment(text)
}
