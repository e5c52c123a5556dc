/** A value that has no canonical form: where in it (a JSON pointer), and why. */
export class NotCanonical extends Error {
  constructor(readonly path: string, readonly why: string) {
    super(`${path || '/'}: ${why}`)
    this.name = 'NotCanonical'
  }
}

/**
 * The canonical text of a JSON value (RFC 8785), as the log has it: keys in the order of their
 * UTF-16 units, no space, and of numbers only integers of at most 53 bits.
 */
export function canonical(value: unknown, path = ''): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    const safe = Number.isSafeInteger(value) && !Object.is(value, -0)
    if (!safe) throw new NotCanonical(path, `${value} is no integer of at most 53 bits`)
    return String(value)
  }
  if (typeof value === 'string') {
    if (/\p{Cs}/u.test(value)) throw new NotCanonical(path, 'half of a surrogate pair')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item, at) => canonical(item, `${path}/${at}`)).join(',')}]`
  if (typeof value === 'object') {
    // The order of `sort` without a function is that of UTF-16 units.
    const members = Object.keys(value).sort().map((key) => {
      return `${canonical(key, path)}:${canonical((value as Record<string, unknown>)[key], `${path}/${key}`)}`
    })
    return `{${members.join(',')}}`
  }
  throw new NotCanonical(path, `${typeof value} is no JSON`)
}

/** What the API adds to an event that names a person. It lies beside the log, which has its salted hash. */
const BESIDE = ['actor.display_name', 'ip_address', 'user_agent']

/** An event as it was logged, and what the API had added to it. */
export interface Logged {
  text: string
  /** The names of what was taken away again. */
  beside: string[]
}

/**
 * The text whose UTF-8 bytes are the leaf of the log, from an event as the API gives it. When the
 * event has `personal`, who it was by name and from where stands beside the log: the API shows it
 * with the event, and here it is taken away again. Bytes that were no JSON come as a string, and
 * are themselves. Throws `NotCanonical`.
 */
export function logged(event: unknown): Logged {
  if (typeof event === 'string') return { text: event, beside: [] }
  if (!isObject(event)) throw new NotCanonical('', 'an event is an object')
  if (event.personal === undefined) return { text: canonical(event), beside: [] }
  const bare: Record<string, unknown> = { ...event }
  delete bare.ip_address
  delete bare.user_agent
  if (isObject(bare.actor)) {
    const { display_name: _, ...actor } = bare.actor
    bare.actor = actor
  }
  const has = (name: string) =>
    name === 'actor.display_name'
      ? isObject(event.actor) && event.actor.display_name !== undefined
      : event[name] !== undefined
  return { text: canonical(bare), beside: BESIDE.filter(has) }
}

/** Whether a value is an object of names and values. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
