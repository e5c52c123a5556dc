/** How a value is asked for. */
export type FieldKind =
  | 'text' | 'long' | 'number' | 'choice' | 'choices' | 'list' | 'numbers' | 'boolean'
  /** Lines of `key = value`, an object of texts. */
  | 'pairs'
  /** Lines of `key = one, two`, an object of lists. */
  | 'map'
  | 'json'
  /** Lines that are no prose. */
  | 'code'
  /** Written and never shown. */
  | 'secret'
  /** A wall-clock time without a zone: `2026-01-01T22:00`. */
  | 'clock'
  /** A moment; asked for in the viewer's zone, sent in UTC. */
  | 'moment'
  /** The id of something that is looked for by name. */
  | 'thing'

/** One of the words a choice takes, and what it is called. */
export interface Option {
  value: string
  label: string
}

/** What a form holds, by where each field stands. */
export type Draft = Record<string, string | boolean | string[]>

/** What is sent. */
export type Body = Record<string, unknown>

/** One field of a plain object. */
export interface Field {
  /** Where it stands in what is sent, as a JSON pointer without the slash in front: `configuration/to`. */
  at: string
  label: string
  kind: FieldKind
  help?: string
  required?: boolean
  options?: Option[]
  min?: number
  max?: number
  placeholder?: string
  /** What stands there when something new is made. */
  initial?: unknown
  /** Said once, when it is made. */
  once?: boolean
  /** Where the server finds fault when it means this field, if it has another name there. */
  also?: string
  /** Which kind of thing is looked for: a word of the search. */
  of?: string
  /** Whether it means anything by what else was said; else it is not sent. */
  shown?: (draft: Draft) => boolean
  /** Something that could stand there, by what else was said. */
  suggest?: (draft: Draft) => string
}

interface Fault {
  path: string
  message: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands in an object at `a/b`. */
export function reach(object: unknown, at: string): unknown {
  return at.split('/').reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), object)
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string' || typeof one === 'number').map(String) : []

function twoDigits(n: number): string {
  return String(n).padStart(2, '0')
}

/** A moment as a field for dates and times has it, in the zone of this machine; empty when it is none. */
export function localOf(moment: string): string {
  const at = new Date(moment)
  if (Number.isNaN(at.getTime())) return ''
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`
  return `${day}T${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

function linesOf(value: unknown, write: (one: unknown) => string): string {
  return isObject(value) ? Object.entries(value).map(([key, one]) => `${key} = ${write(one)}`).join('\n') : ''
}

function shownAs(field: Field, value: unknown): string | boolean | string[] {
  switch (field.kind) {
    case 'boolean':
      return value === true
    case 'choices': case 'list': case 'numbers':
      return texts(value)
    case 'pairs':
      return linesOf(value, String)
    case 'map':
      return linesOf(value, (all) => texts(all).join(', '))
    case 'json':
      return value === undefined ? '' : JSON.stringify(value, null, 2)
    case 'secret':
      return ''
    case 'clock':
      return typeof value === 'string' ? value.replace(/(T\d\d:\d\d):00(\.0+)?$/, '$1') : ''
    case 'moment':
      return typeof value === 'string' ? localOf(value) : ''
    default:
      return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
}

/** What a form shows of an object that is there, or of a new one. */
export function draftOf(fields: Field[], known?: unknown): Draft {
  const value = (field: Field) => (known === undefined ? field.initial : reach(known, field.at))
  return Object.fromEntries(fields.map((field) => [field.at, shownAs(field, value(field))]))
}

type Read = { value: unknown } | { fault: string }

function lines(text: string, split: (value: string) => unknown): Read {
  const entries: [string, unknown][] = []
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const cut = line.indexOf('=')
    const key = line.slice(0, Math.max(cut, 0)).trim()
    if (key === '') return { fault: `line ${at + 1}: write key = value` }
    entries.push([key, split(line.slice(cut + 1).trim())])
  }
  return { value: Object.fromEntries(entries) }
}

function number(field: Field, text: string): Read {
  const value = Number(text)
  if (!Number.isInteger(value)) return { fault: 'must be a whole number' }
  const { min = -Infinity, max = Infinity } = field
  if (value < min || value > max) {
    return { fault: Number.isFinite(max) ? `must be ${min} to ${max}` : `must be ${min} or more` }
  }
  return { value }
}

function read(field: Field, given: string | boolean | string[] | undefined): Read {
  if (typeof given === 'boolean') return { value: given }
  if (Array.isArray(given)) {
    if (field.required && given.length === 0) return { fault: 'is needed' }
    if (field.kind !== 'numbers') return { value: given }
    const found = given.map((one) => number(field, one))
    return found.find((one) => 'fault' in one) ?? { value: given.map(Number) }
  }
  const text = field.kind === 'secret' ? given ?? '' : (given ?? '').trim()
  if (text === '') {
    if (field.kind === 'pairs' || field.kind === 'map') return { value: {} }
    return field.required ? { fault: 'is needed' } : { value: undefined }
  }
  switch (field.kind) {
    case 'number':
      return number(field, text)
    case 'pairs':
      return lines(text, (value) => value)
    case 'map':
      return lines(text, (value) => value.split(',').map((one) => one.trim()).filter((one) => one !== ''))
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown }
      } catch (error) {
        return { fault: `is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}` }
      }
    case 'clock':
      return /T\d\d:\d\d$/.test(text) ? { value: `${text}:00` } : { value: text }
    case 'moment': {
      const at = new Date(text)
      return Number.isNaN(at.getTime()) ? { fault: 'is no date and time' } : { value: at.toISOString() }
    }
    default:
      return { value: text }
  }
}

/** Which fields are asked for, by what was said so far. */
export const asked = (fields: Field[], draft: Draft) => fields.filter((field) => field.shown?.(draft) ?? true)

/**
 * What is sent for what was typed, and what is wrong with it by field. What is empty and not needed
 * is left out. `base` is what is there now: what it has in nested objects, and no field is about,
 * stays.
 */
export function bodyOf(fields: Field[], draft: Draft, base?: unknown): { body: Body; faults: Record<string, string> } {
  const body: Body = {}
  const faults: Record<string, string> = {}
  const shown = new Set(asked(fields, draft))
  for (const field of fields) {
    const [outer, inner] = field.at.split('/')
    if (outer === undefined) continue
    const result: Read = shown.has(field) ? read(field, draft[field.at]) : { value: undefined }
    if ('fault' in result) faults[field.at] = result.fault
    const value = 'value' in result ? result.value : undefined
    if (inner === undefined) {
      if (value !== undefined) body[outer] = value
      continue
    }
    const there = reach(base, outer)
    const nested: Body = isObject(body[outer]) ? body[outer] : isObject(there) ? { ...there } : {}
    if (value === undefined) delete nested[inner]
    else nested[inner] = value
    body[outer] = nested
  }
  return { body, faults }
}

const inside = (at: string | undefined, path: string) =>
  at !== undefined && (path === `/${at}` || path.startsWith(`/${at}/`))

const below = (field: Field, path: string) => inside(field.at, path) || inside(field.also, path)

/** What the server said about one field: at its JSON pointer, or at something inside it. */
export function faultOf(field: Field, faults: Fault[]): string | undefined {
  const fault = faults.find((one) => below(field, one.path))
  if (!fault) return undefined
  const at = inside(field.at, fault.path) ? field.at : field.also ?? ''
  const rest = fault.path.slice(at.length + 2)
  return rest === '' ? fault.message : `${rest}: ${fault.message}`
}

/** What the server said that stands at none of these fields. */
export function unplaced<F extends Fault>(fields: Field[], faults: F[]): F[] {
  return faults.filter((fault) => !fields.some((field) => below(field, fault.path)))
}
