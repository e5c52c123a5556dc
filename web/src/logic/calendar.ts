/** Ms in a day of 24 hours. */
export const DAY = 86_400_000
const MINUTE = 60_000
/** Clocks change at whole quarters of an hour of UTC, so an offset holds for one. */
const SLOT = 15 * MINUTE
const CACHED = 50_000

/** A wall-clock time, counted as ms since 1970 would count if its zone were UTC. A day is its midnight. */
export type Wall = number

/** When something begins and ends, in ms since 1970; the end is no part of it. */
export interface Span {
  start: number
  end: number
}

/** What a window says of when it is; a `WindowOut` is one. */
export interface Recurring {
  kind: string
  start_time: string
  end_time: string
  timezone: string
  recurrence: string
  recurrence_pattern?: unknown
}

/** A window's recurrence, understood. */
export interface Rule {
  kind: string
  zone: string
  opens: Wall
  closes: Wall
  once: boolean
  /** The longest an occurrence may last, in days. */
  longest: number
  includes: (day: Wall) => boolean
}

const formats = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, number>()

/** What the clocks of a zone are ahead of UTC at a moment, in ms. Throws on a zone nobody knows. */
export function offsetMs(zone: string, at: number): number {
  const slot = Math.floor(at / SLOT) * SLOT
  const key = `${zone} ${slot}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
      hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
    formats.set(zone, format)
  }
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(slot)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - slot
  if (offsets.size > CACHED) offsets.clear()
  offsets.set(key, offset)
  return offset
}

/** What the clocks of a zone read at a moment. */
export const wallAt = (zone: string, at: number): Wall => at + offsetMs(zone, at)

/** The midnight a wall-clock time is after. */
export const dayOf = (wall: Wall): Wall => Math.floor(wall / DAY) * DAY

/** Reads `2026-01-01T22:00:00`; `undefined` when it is none. */
export function wallOf(text: string): Wall | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?$/.test(text)) return undefined
  const at = Date.parse(text.length > 10 ? `${text}Z` : text)
  return Number.isNaN(at) ? undefined : at
}

/** The moments at which clocks read a time; one that is skipped has the moment of the skip. */
function readings(zone: string, wall: Wall): { first: number; last: number; skipped: boolean } {
  const ways = new Set([offsetMs(zone, wall - DAY), offsetMs(zone, wall + DAY)])
  const candidates = [...ways].map((offset) => wall - offset).sort((a, b) => a - b)
  const real = candidates.filter((at) => wallAt(zone, at) === wall)
  const [first, last] = [real[0], real.at(-1)]
  if (first !== undefined && last !== undefined) return { first, last, skipped: false }
  let [before = wall, after = wall] = [candidates[0], candidates.at(-1)]
  const offset = offsetMs(zone, before)
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetMs(zone, middle) === offset) before = middle
    else after = middle
  }
  return { first: after, last: after, skipped: true }
}

/** The first moment at which the clock reads `wall` or later. */
export const reached = (zone: string, wall: Wall): number => readings(zone, wall).first

/** The moment from which on the clock never reads less than `wall` again. */
export function passed(zone: string, wall: Wall): number {
  const before = readings(zone, wall - 1)
  return before.skipped ? before.first : before.last + 1
}

const WEEK = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const WEEK_LONG = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

function listOf(pattern: unknown, name: string): unknown[] {
  const value = typeof pattern === 'object' && pattern !== null ? (pattern as Record<string, unknown>)[name] : undefined
  return Array.isArray(value) ? value : []
}

/** Which days a window comes on, as the server reads it; `undefined` when it cannot be read. */
function days(window: Recurring, first: Wall): Pick<Rule, 'once' | 'longest' | 'includes'> | undefined {
  switch (window.recurrence) {
    case 'none':
      return { once: true, longest: 366, includes: (day) => day === first }
    case 'daily':
      return { once: false, longest: 1, includes: () => true }
    case 'weekly': {
      const words = listOf(window.recurrence_pattern, 'days_of_week').map((word) => String(word).toLowerCase())
      const given = words.map((word) => Math.max(WEEK.indexOf(word), WEEK_LONG.indexOf(word)))
      if (given.includes(-1)) return undefined
      const wanted = given.length > 0 ? given : [new Date(first).getUTCDay()]
      return { once: false, longest: 7, includes: (day) => wanted.includes(new Date(day).getUTCDay()) }
    }
    case 'monthly': {
      const given = listOf(window.recurrence_pattern, 'days_of_month').map(Number)
      if (given.some((n) => !Number.isInteger(n) || n === 0 || Math.abs(n) > 31)) return undefined
      const wanted = given.length > 0 ? given : [new Date(first).getUTCDate()]
      const includes = (day: Wall) => {
        const at = new Date(day)
        const of = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()
        return wanted.includes(at.getUTCDate()) || wanted.includes(at.getUTCDate() - of - 1)
      }
      return { once: false, longest: 28, includes }
    }
    default:
      return undefined
  }
}

/**
 * Understands when a window is, by the server's own rules (`gate::blackout`): its first occurrence
 * on the clocks of its zone, and the days it comes back on. `undefined` when it cannot be read.
 */
export function ruleOf(window: Recurring): Rule | undefined {
  const [opens, closes] = [wallOf(window.start_time), wallOf(window.end_time)]
  if (opens === undefined || closes === undefined || closes <= opens) return undefined
  try {
    offsetMs(window.timezone, opens)
  } catch {
    return undefined
  }
  const on = days(window, dayOf(opens))
  if (!on || closes > opens + on.longest * DAY) return undefined
  return { kind: window.kind, zone: window.timezone, opens, closes, ...on }
}

/**
 * Occurrences that touch `from..to` (ms), in order. Where the clock repeats or skips a time a
 * denying window takes the longer reading and one that alone allows the shorter, as the gate does.
 */
export function occurrences(rule: Rule, from: number, to: number): Span[] {
  const { zone, opens, closes } = rule
  const first = dayOf(opens)
  const nights = dayOf(closes) - first
  const begin = rule.once ? first : Math.max(first, dayOf(wallAt(zone, from)) - (rule.longest + 2) * DAY)
  const last = rule.once ? first : dayOf(wallAt(zone, to)) + DAY
  const found: Span[] = []
  for (let day = begin; day <= last; day += DAY) {
    if (!rule.includes(day)) continue
    const [open, close] = [day + (opens - first), day + nights + (closes - dayOf(closes))]
    const span = rule.kind === 'allow_only'
      ? { start: passed(zone, open), end: reached(zone, close) }
      : { start: reached(zone, open), end: passed(zone, close) }
    if (span.start < span.end && span.end > from && span.start < to) found.push(span)
  }
  return found
}

/** Until when a window is active at a moment; `undefined` when it is not. */
export function activeUntil(rule: Rule, at: number): number | undefined {
  const ends = occurrences(rule, at, at + 1).map((span) => span.end)
  return ends.length > 0 ? Math.max(...ends) : undefined
}

/** When a window is next active after a moment; one that comes back, within 400 days. */
export function nextAfter(rule: Rule, at: number): number | undefined {
  if (rule.once) return occurrences(rule, at, Infinity).find((span) => span.start > at)?.start
  for (let from = at; from < at + 400 * DAY; from += 32 * DAY) {
    const found = occurrences(rule, from, from + 32 * DAY).find((span) => span.start > at)
    if (found) return found.start
  }
  return undefined
}

/** The beginning and the end of a day in a zone: 23 or 25 hours where clocks change. */
export function boundsOf(zone: string, day: Wall): Span {
  return { start: reached(zone, day), end: reached(zone, day + DAY) }
}

/** The Monday on or before a day. */
export const mondayOf = (day: Wall): Wall => day - ((new Date(day).getUTCDay() + 6) % 7) * DAY

/** The seven days of the week a day is in, from Monday on. */
export const weekOf = (day: Wall): Wall[] => Array.from({ length: 7 }, (_, n) => mondayOf(day) + n * DAY)

/** The weeks of the month a day is in, whole from Monday on. */
export function monthOf(day: Wall): Wall[][] {
  const at = new Date(day)
  const last = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)
  const weeks: Wall[][] = []
  for (let monday = mondayOf(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1)); monday <= last; monday += 7 * DAY) {
    weeks.push(weekOf(monday))
  }
  return weeks
}

/** The first day of the month `by` months on. */
export function monthsOn(day: Wall, by: number): Wall {
  const at = new Date(day)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + by, 1)
}

/** What of each span lies in bounds. */
export function within<S extends Span>(spans: S[], bounds: Span): S[] {
  return spans
    .filter((span) => span.start < bounds.end && span.end > bounds.start)
    .map((span) => ({ ...span, start: Math.max(span.start, bounds.start), end: Math.min(span.end, bounds.end) }))
}

/** Spans side by side where they overlap: each with its lane and how many its group has. */
export function lanes<S extends Span>(spans: S[]): (S & { lane: number; of: number })[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end)
  const placed: (S & { lane: number; of: number })[] = []
  let [group, free, until] = [[] as (S & { lane: number; of: number })[], [] as number[], -Infinity]
  const close = () => group.forEach((one) => (one.of = free.length))
  for (const span of sorted) {
    if (span.start >= until) {
      close()
      ;[group, free, until] = [[], [], -Infinity]
    }
    const open = free.findIndex((end) => end <= span.start)
    const lane = open === -1 ? free.length : open
    free[lane] = span.end
    until = Math.max(until, span.end)
    const one = { ...span, lane, of: 1 }
    group.push(one)
    placed.push(one)
  }
  close()
  return placed
}
