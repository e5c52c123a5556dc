import { FILTER_NAMES, type Search } from './findingFilters'

/** A filter somebody keeps: its name, and what stands in the URL with it. */
export interface SavedFilter {
  name: string
  search: Record<string, string>
}

/** Filters everybody has. */
export const BUILT_IN: SavedFilter[] = [
  { name: 'Open, worst first', search: { status: 'open', sort: '-severity_rank' } },
  { name: 'Open and critical', search: { status: 'open', severity: 'critical' } },
  { name: 'Drift of production', search: { kind: 'drift', environment: 'class:prod', status: 'open,escalated' } },
  { name: 'New today', search: { since: 'today' } },
  { name: 'Escalated', search: { status: 'escalated' } },
]

const KEPT = [...FILTER_NAMES, 'sort']
/** More than these are not kept: a list nobody can look through helps nobody. */
export const MOST_SAVED = 50
const LONGEST_NAME = 60

/** Of a URL what a filter is made of: its filters and its order. */
export function kept(search: Search): Record<string, string> {
  const all: Record<string, string> = {}
  for (const name of KEPT) {
    const value = search[name]
    if (value) all[name] = value
  }
  return all
}

/** The change of the URL that shows a filter: what it does not name is taken out. */
export function showing(filter: SavedFilter): Search {
  return Object.fromEntries(KEPT.map((name) => [name, filter.search[name]]))
}

/** Whether the URL shows just this filter. */
export function shows(search: Search, filter: SavedFilter): boolean {
  const [one, other] = [kept(search), kept(filter.search)]
  return KEPT.every((name) => one[name] === other[name])
}

/** What was stored, as far as it can be read; whatever else stands there is left out. */
export function read(text: string | null): SavedFilter[] {
  let stored: unknown
  try {
    stored = JSON.parse(text ?? '[]')
  } catch {
    return []
  }
  if (!Array.isArray(stored)) return []
  const filters: SavedFilter[] = []
  for (const one of stored as unknown[]) {
    const { name, search } = (one ?? {}) as { name?: unknown; search?: unknown }
    if (typeof name !== 'string' || name.trim() === '' || typeof search !== 'object' || search === null) continue
    const texts = Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    filters.push({ name, search: kept(Object.fromEntries(texts)) })
  }
  return filters.slice(0, MOST_SAVED)
}

/** Why a name cannot be taken; `undefined` when it can. `own` is the name it has now, if any. */
export function badName(filters: SavedFilter[], name: string, own?: string): string | undefined {
  const wanted = name.trim()
  if (wanted === '') return 'Give it a name.'
  if (wanted.length > LONGEST_NAME) return `A name has at most ${LONGEST_NAME} characters.`
  const same = (filter: SavedFilter) => filter.name.toLowerCase() === wanted.toLowerCase()
  if (BUILT_IN.some(same)) return 'That is the name of a built-in filter.'
  if (wanted.toLowerCase() !== own?.toLowerCase() && filters.some(same)) return 'You have a filter of this name.'
  if (own === undefined && filters.length >= MOST_SAVED) return `At most ${MOST_SAVED} filters are kept.`
  return undefined
}

/** With one filter more. */
export function added(filters: SavedFilter[], name: string, search: Search): SavedFilter[] {
  return [...filters, { name: name.trim(), search: kept(search) }]
}

/** With another name for one of them. */
export function renamed(filters: SavedFilter[], from: string, to: string): SavedFilter[] {
  return filters.map((filter) => (filter.name === from ? { ...filter, name: to.trim() } : filter))
}

/** Without one of them. */
export function without(filters: SavedFilter[], name: string): SavedFilter[] {
  return filters.filter((filter) => filter.name !== name)
}
