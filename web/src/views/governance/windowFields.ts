import type { Field, Option } from '../../logic/fields'

/** IANA zones of this browser, UTC first. */
export function zones(): Option[] {
  const all = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  return all.map((zone) => ({ value: zone, label: zone }))
}

/** The zone of whoever is looking. */
export const viewerZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

const words = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])

function selector(value: unknown, names: string[]): Record<string, string[]> {
  // A plain list may mean any of them, word by word; the server reads it so.
  if (Array.isArray(value)) {
    const ids = words(value).filter((word) => word.startsWith('rbk_'))
    return Object.fromEntries(names.map((name) => [name, name === 'ids' ? ids : words(value)]))
  }
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  return Object.fromEntries(names.map((name) => [name, words(given[name])]))
}

/** Which servers a window is about, by what it names. */
export const serversOf = (value: unknown) => selector(value, ['tags', 'names', 'environments'])

/** Which runbooks a window is about, by what it names. */
export const runbooksOf = (value: unknown) => selector(value, ['ids', 'names', 'categories'])

/** A window as the form knows it: selectors written out, whatever way they were stored. */
export function forForm(window: { affected_servers?: unknown; affected_runbooks?: unknown }): Record<string, unknown> {
  return {
    ...window,
    affected_servers: serversOf(window.affected_servers),
    affected_runbooks: runbooksOf(window.affected_runbooks),
  }
}

/** What a selector means, in words: `every server`, `names web-*, db-1`. */
export function selected(given: unknown, of: Record<string, string[]>, all: string): string {
  if (Array.isArray(given) && given.length > 0) return words(given).join(', ')
  const named = Object.entries(of).filter(([, list]) => list.length > 0)
  const parts = named.map(([name, list]) => `${name} ${list.join(', ')}`)
  return parts.length === 0 ? all : parts.join('; ')
}

const week = [
  ['mon', 'Monday'], ['tue', 'Tuesday'], ['wed', 'Wednesday'], ['thu', 'Thursday'], ['fri', 'Friday'],
  ['sat', 'Saturday'], ['sun', 'Sunday'],
].map(([value = '', label = '']) => ({ value, label }))

/** How often a window comes back. */
export const recurrences: Option[] = [
  { value: 'none', label: 'Once' },
  { value: 'daily', label: 'Every day' },
  { value: 'weekly', label: 'On days of the week' },
  { value: 'monthly', label: 'On days of the month' },
]

/** Everything there is to say of a window. */
export function windowFields(zone: string): Field[] {
  return [
    { at: 'name', label: 'Name', kind: 'text', required: true },
    { at: 'description', label: 'Why it is there', kind: 'long' },
    {
      at: 'kind', label: 'What it does', kind: 'choice', required: true, initial: 'deny', options: [
        { value: 'deny', label: 'Blackout: nothing it picks starts while it is active' },
        { value: 'allow_only', label: 'Maintenance: what it picks starts only while one of this kind is active' },
      ],
    },
    {
      at: 'timezone', label: 'Time zone', kind: 'choice', required: true, initial: zone, options: zones(),
      help: 'Its times are on the clocks of this zone, also when they change.',
    },
    { at: 'start_time', label: 'First start', kind: 'clock', required: true },
    { at: 'end_time', label: 'First end', kind: 'clock', required: true, help: 'May be the next day.' },
    {
      at: 'recurrence', label: 'Comes back', kind: 'choice', required: true, initial: 'none', options: recurrences,
    },
    {
      at: 'recurrence_pattern/days_of_week', label: 'On', kind: 'choices', options: week,
      help: 'None ticked: the day it first starts on.', shown: (draft) => draft.recurrence === 'weekly',
    },
    {
      at: 'recurrence_pattern/days_of_month', label: 'On days of the month', kind: 'numbers', min: -31, max: 31,
      help: '1 to 31, or -1 for the last. None: the day it first starts on.',
      shown: (draft) => draft.recurrence === 'monthly',
    },
    { at: 'affected_servers/names', label: 'Servers by name', kind: 'list', help: '* and ? stand for any text.' },
    { at: 'affected_servers/tags', label: 'Servers by label', kind: 'list', help: 'key=value, or key for any value.' },
    {
      at: 'affected_servers/environments', label: 'Servers by environment', kind: 'list',
      help: 'Slugs or classes. With no server named it is about all of them.',
    },
    { at: 'affected_runbooks/names', label: 'Runbooks by name', kind: 'list', help: '* and ? stand for any text.' },
    { at: 'affected_runbooks/categories', label: 'Runbooks by category', kind: 'list' },
    {
      at: 'affected_runbooks/ids', label: 'Runbooks by id', kind: 'list',
      help: 'With no runbook named it is about all of them.',
    },
    { at: 'enabled', label: 'It counts', kind: 'boolean', initial: true },
  ]
}
