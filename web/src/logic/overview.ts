import { isSeverity, severities, type SeverityWord } from './severities'

/** The periods the overview can show, in days. */
export const PERIODS = [7, 30, 90] as const
export type Period = (typeof PERIODS)[number]

/** The period a word of the URL means; 30 days where it means none. */
export const periodOf = (word: string | undefined): Period => PERIODS.find((days) => String(days) === word) ?? 30

const DAY_MS = 86_400_000

/** The days of a period that ends with the day of `now` (ms), in UTC, as the API writes them. */
export function daysOf(period: number, now: number): string[] {
  const day = (ago: number) => new Date(now - ago * DAY_MS).toISOString().slice(0, 10)
  return Array.from({ length: period }, (_, at) => day(period - 1 - at))
}

/** A day, `2026-03-01`, as seconds since 1970. */
export const secondsOf = (day: string) => Date.parse(`${day}T00:00:00Z`) / 1_000

/** How many there are of a severity, and of which kinds. */
export interface OpenCount {
  severity: SeverityWord
  count: number
  kinds: { kind: string; count: number }[]
}

/** Open findings by severity, the worst first; every severity is there. */
export function openBySeverity(open: { kind: string; severity: string; count: number }[]): OpenCount[] {
  return severities.map((severity) => {
    const kinds = open.filter((one) => one.severity === severity && one.count > 0)
      .map(({ kind, count }) => ({ kind, count })).sort((a, b) => b.count - a.count || a.kind.localeCompare(b.kind))
    return { severity, count: kinds.reduce((sum, one) => sum + one.count, 0), kinds }
  })
}

/** Findings of a day and a severity, as the API tells them. */
export interface FindingDay {
  day: string
  severity: string
  opened: number
  resolved: number
  mean_time_to_resolve_s?: number | null
}

/** Findings by severity for each of `days`: nothing came up on days the API leaves out. */
export function daily(rows: FindingDay[], days: string[]): Record<SeverityWord, number[]> {
  const place = new Map(days.map((day, at) => [day, at]))
  const none = () => days.map(() => 0)
  const counts: Record<SeverityWord, number[]> = { critical: none(), high: none(), medium: none(), low: none() }
  for (const { day, severity, opened } of rows) {
    const at = place.get(day)
    if (at === undefined || !isSeverity(severity)) continue
    counts[severity][at] = (counts[severity][at] ?? 0) + opened
  }
  return counts
}

/** Mean time from the first notice to the end, in seconds, of those that are over; none where none is. */
export function meanToResolve(rows: FindingDay[]): number | undefined {
  let [total, over] = [0, 0]
  for (const { resolved, mean_time_to_resolve_s: mean } of rows) {
    if (typeof mean !== 'number' || resolved <= 0) continue
    total += mean * resolved
    over += resolved
  }
  return over > 0 ? total / over : undefined
}

/** The same for each day, by the day the findings came up. */
export function dailyMean(rows: FindingDay[], days: string[]): (number | null)[] {
  return days.map((day) => meanToResolve(rows.filter((row) => row.day === day)) ?? null)
}

/** A sentence about the days: how many came up, how bad, when the most. */
export function tellDays(rows: FindingDay[], days: string[]): string {
  const counts = daily(rows, days)
  const totals = days.map((_, at) => severities.reduce((sum, severity) => sum + (counts[severity][at] ?? 0), 0))
  const all = totals.reduce((sum, one) => sum + one, 0)
  if (all === 0) return `No finding came up in ${days.length} days.`
  const most = Math.max(...totals)
  const parts = severities.flatMap((severity) => {
    const sum = counts[severity].reduce((one, other) => one + other, 0)
    return sum > 0 ? [`${sum} ${severity}`] : []
  })
  const peak = days[totals.indexOf(most)] ?? ''
  return `In ${days.length} days ${all} findings came up (${parts.join(', ')}), the most on ${peak}: ${most}.`
}

/** Executions that ended, as the API counts them. */
export interface Ended {
  /** How the gate let them start: `allow` by itself, `require_approval` after people agreed. */
  verdict: string
  /** How much ran by itself: `manual` where a person asked for it. */
  mode: string
  state: string
  count: number
}

/** Executions that ended, by who let them start. */
export interface Autonomy {
  /** The gate let them start by itself, for what nobody asked for by hand. */
  automatic: number
  /** People agreed before. */
  approved: number
  /** A person asked for them, whoever agreed. */
  manual: number
  /** Let start in another way. */
  other: number
}

/** Parts what ended by who let it start: what was asked for by hand is counted there and nowhere else. */
export function autonomy(ended: Ended[]): Autonomy {
  const found: Autonomy = { automatic: 0, approved: 0, manual: 0, other: 0 }
  const part: Record<string, keyof Autonomy> = { allow: 'automatic', require_approval: 'approved' }
  for (const { verdict, mode, count } of ended) {
    const way = part[verdict]
    found[way === undefined ? 'other' : mode === 'manual' ? 'manual' : way] += count
  }
  return found
}

/** What became of what ended. */
export interface Endings {
  worked: number
  failed: number
  undone: number
  /** The way back failed. */
  stuck: number
  /** It never ran: cancelled, expired, refused. */
  never: number
}

/** Parts what ended by what became of it. */
export function endings(ended: Ended[]): Endings {
  const found: Endings = { worked: 0, failed: 0, undone: 0, stuck: 0, never: 0 }
  const part: Record<string, keyof Endings> = {
    completed: 'worked', failed: 'failed', rolled_back: 'undone', rollback_failed: 'stuck',
  }
  for (const { state, count } of ended) found[part[state] ?? 'never'] += count
  return found
}

/** Counts in two dimensions, as a heat map draws them. */
export interface Heat {
  rows: string[]
  columns: string[]
  /** By row, then column; null where nothing was counted. */
  cells: (number | null)[][]
  /** Rows that are left out, the least ones. */
  left: number
}

/** Counts of pairs of words; the rows with the most first, `most` of them, the columns as they are given. */
export function heat(counts: { row: string; column: string; count: number }[], columns: string[], most: number): Heat {
  const place = new Map(columns.map((column, at) => [column, at]))
  const byRow = new Map<string, { cells: (number | null)[]; total: number }>()
  for (const { row, column, count } of counts) {
    const at = place.get(column)
    if (at === undefined || count <= 0) continue
    const known = byRow.get(row) ?? { cells: columns.map(() => null), total: 0 }
    known.cells[at] = (known.cells[at] ?? 0) + count
    known.total += count
    byRow.set(row, known)
  }
  const ordered = [...byRow].sort(([a, x], [b, y]) => y.total - x.total || a.localeCompare(b))
  const kept = ordered.slice(0, most)
  return {
    rows: kept.map(([row]) => row),
    columns,
    cells: kept.map(([, { cells }]) => cells),
    left: ordered.length - kept.length,
  }
}

/** Counts by word, of an object without a shape: what is no count is left out; the most first. */
export function tally(value: unknown): { word: string; count: number }[] {
  if (typeof value !== 'object' || value === null) return []
  const one = ([word, count]: [string, unknown]) => (typeof count === 'number' && count > 0 ? [{ word, count }] : [])
  const found = Object.entries(value).flatMap(one)
  return found.sort((a, b) => b.count - a.count || a.word.localeCompare(b.word))
}
