import type { Script, Slot } from './planDocument'
import { pieces, references, type TemplatePiece } from './template'

/** What a runbook says of itself, as far as it decides where a value comes from. */
export interface Source {
  /** Templates of its variables, by name. */
  variables: Record<string, string>
  /** Variables whose value came with the request. */
  given: Record<string, string>
}

/** A stretch of a rendered script. */
export interface Stretch {
  text: string
  /** Where its text comes from when that is outside: `the alert’s label service`. */
  from?: string[]
  /** Known only while the plan runs. */
  slot?: Slot
}

/** A value that reached a command from outside. */
export interface Reached {
  value: string
  from: string[]
}

/** A text as one word of a shell, as the server writes it. */
export const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** What a quoted word says. */
export const unquote = (word: string) => word.slice(1, -1).replaceAll("'\\''", "'")

const QUOTED = /'[^']*'(?:\\''[^']*')*/y

/** The quoted word at `at`, with its quotes. */
function quotedAt(text: string, at: number): string | undefined {
  QUOTED.lastIndex = at
  return QUOTED.exec(text)?.[0]
}

function ofAlert(parts: string[], open: boolean): string {
  const [, field, name] = parts
  if (field === 'labels') return name && !open ? `the alert’s label ${name}` : 'the alert’s labels'
  if (field === 'annotations') return name && !open ? `the alert’s annotation ${name}` : 'the alert’s annotations'
  return field ? `the alert’s ${field.replaceAll('_', ' ')}` : 'the alert'
}

/** Where a variable of the runbook gets its value, as far as that is outside. */
function ofVariable(name: string, source: Source, seen: string[]): string[] {
  if (name in source.given) return [`${name}, given with the request`]
  const template = source.variables[name]
  if (template === undefined || seen.includes(name)) return []
  return origins(template, source, [...seen, name])
}

/** Where the placeholders of a template get their values from, as far as that is outside, each once. */
export function origins(template: string, source: Source, seen: string[] = []): string[] {
  const found = pieces(template).flatMap((piece) => (piece.source === undefined ? [] : of(piece.source, source, seen)))
  return [...new Set(found)]
}

/** The same of one expression: what the server takes for tainted (`Context::tainted`), in words. */
function of(expression: string, source: Source, seen: string[] = []): string[] {
  const found = references(expression).flatMap(({ parts, open }): string[] => {
    const root = parts[0] ?? ''
    if (root in source.variables || root in source.given) return ofVariable(root, source, seen)
    switch (root) {
      case 'server': case 'runbook': return []
      case 'alert': return [ofAlert(parts, open)]
      case 'env': {
        const name = parts[1]
        if (name !== undefined && !open) return ofVariable(name, source, seen)
        const all = new Set([...Object.keys(source.variables), ...Object.keys(source.given)])
        return [...all].flatMap((one) => ofVariable(one, source, seen))
      }
      case 'steps': return [`what ${parts[1] ?? 'a step'} prints on the target`]
      case 'execution': return []
      default: return [parts.join('.')]
    }
  })
  return [...new Set(found)]
}

/** A rendered script that is read from its beginning on. */
class Reader {
  readonly read: Stretch[] = []
  private at = 0

  constructor(private readonly segments: Script) {
    this.segments = segments.map((segment) => ({ ...segment }))
  }

  get done(): boolean {
    return this.segments.length === 0
  }

  private get text(): string {
    return this.segments[0]?.text ?? ''
  }

  private advance(length: number) {
    this.at += length
    if (this.at >= this.text.length) {
      this.segments.shift()
      this.at = 0
    }
  }

  /** Takes exactly this text. */
  literal(text: string): boolean {
    if (this.segments[0]?.text === undefined || !this.text.startsWith(text, this.at)) return false
    this.read.push({ text })
    this.advance(text.length)
    return true
  }

  /** Takes what a placeholder became: a late value, or one quoted word. */
  word(from: string[]): boolean {
    const slot = this.segments[0]?.slot
    if (slot) {
      this.read.push({ text: `<${slot.name}>`, slot, ...(slot.tainted ? { from } : {}) })
      this.segments.shift()
      return true
    }
    const word = quotedAt(this.text, this.at)
    if (word === undefined) return false
    this.read.push(from.length > 0 ? { text: word, from } : { text: word })
    this.advance(word.length)
    return true
  }

  /** Takes `export NAME=` of one of these variables, and gives its name. */
  exported(names: Set<string>): string | undefined {
    const found = /^export ([A-Za-z_][A-Za-z0-9_]*)=(?=')/.exec(this.text.slice(this.at))
    const name = found?.[1]
    if (!found || name === undefined || !names.has(name)) return undefined
    this.literal(found[0])
    return name
  }
}

/**
 * A rendered script laid beside the template it was made of: each placeholder became exactly one
 * quoted word or late value, so where a word came from is known to the letter. `undefined` when the
 * script is not of that template.
 */
export function aligned(script: Script, template: string, source: Source): Stretch[] | undefined {
  const reader = new Reader(script)
  const names = new Set([...Object.keys(source.variables), ...Object.keys(source.given)])
  // The runbook's variables stand before the command, in the order of their names.
  for (let left = names.size; left > 0; left -= 1) {
    const name = reader.exported(names)
    if (name === undefined) break
    if (!reader.word(ofVariable(name, source, [])) || !reader.literal('\n')) return undefined
  }
  const matches = (piece: TemplatePiece) =>
    piece.source === undefined ? reader.literal(piece.text) : reader.word(of(piece.source, source))
  const whole = pieces(template)
  if (!whole.every(matches) || !reader.done) return undefined
  return reader.read
}

/** Values from outside by where they come from, for scripts whose template is not at hand. */
export function marked(script: Script, values: Reached[]): Stretch[] {
  const wanted = new Map<string, string[]>()
  for (const { value, from } of values) {
    if (value === '') continue
    const word = quote(value)
    wanted.set(word, [...(wanted.get(word) ?? []), ...from])
  }
  return script.flatMap((segment): Stretch[] => {
    if (segment.slot) {
      const { slot } = segment
      return [{ text: `<${slot.name}>`, slot, ...(slot.tainted ? { from: ['what a step prints on the target'] } : {}) }]
    }
    return cut(segment.text, wanted)
  })
}

/**
 * Where the quoted word that begins at each quote of a text ends. From the last quote to the first: a word goes on
 * where the next begins, so each is looked at once, however many there are (`quotedAt` at each of them would read
 * a text of nothing but quotes to its end again and again).
 */
function wordEnds(text: string): Map<number, number> {
  const ends = new Map<number, number>()
  let close = -1
  for (let at = text.lastIndexOf("'"); at >= 0; at = at > 0 ? text.lastIndexOf("'", at - 1) : -1) {
    if (close >= 0) {
      const further = text.startsWith("\\''", close + 1) ? ends.get(close + 3) : undefined
      ends.set(at, further ?? close + 1)
    }
    close = at
  }
  return ends
}

function cut(text: string, wanted: Map<string, string[]>): Stretch[] {
  const found: Stretch[] = []
  // A word of another length is none of them: it is not even read.
  const lengths = new Set([...wanted.keys()].map((word) => word.length))
  const ends = lengths.size > 0 ? wordEnds(text) : undefined
  let literal = 0
  let at = text.indexOf("'")
  while (ends && at >= 0) {
    const end = ends.get(at) ?? at
    const word = lengths.has(end - at) ? text.slice(at, end) : ''
    const from = wanted.get(word)
    if (from) {
      if (at > literal) found.push({ text: text.slice(literal, at) })
      found.push({ text: word, from })
      literal = end
    }
    // Not behind a word nobody wants: what looks like one may begin with the apostrophe of a comment.
    at = text.indexOf("'", from ? literal : at + 1)
  }
  if (literal < text.length) found.push({ text: text.slice(literal) })
  return found
}

/** What reached scripts from outside, each value once with all it came from. */
export function reached(scripts: Stretch[][]): Reached[] {
  const found = new Map<string, Set<string>>()
  for (const { text, from, slot } of scripts.flat()) {
    if (!from || from.length === 0) continue
    const value = slot ? text : unquote(text)
    found.set(value, new Set([...(found.get(value) ?? []), ...from]))
  }
  return [...found].map(([value, from]) => ({ value, from: [...from] }))
}

/** Everything an alert says, as values from outside. */
export function ofTheAlert(alert: Record<string, unknown>): Reached[] {
  const texts = (of: unknown, word: string): Reached[] =>
    typeof of === 'object' && of !== null
      ? Object.entries(of).flatMap(([name, value]) =>
          typeof value === 'string' ? [{ value, from: [`the alert’s ${word} ${name}`] }] : [])
      : []
  const single = ['alert_name', 'instance', 'job', 'source', 'severity_raw'].flatMap((name): Reached[] => {
    const value = alert[name]
    const from = [`the alert’s ${name.replace('alert_', '').replace('_', ' ')}`]
    return typeof value === 'string' ? [{ value, from }] : []
  })
  return [...texts(alert.labels, 'label'), ...texts(alert.annotations, 'annotation'), ...single]
}
