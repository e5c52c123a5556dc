/**
 * Templates of runbooks, read just far enough to know where their placeholders are and what these
 * refer to (`crates/act/src/runbook/{template,expression}.rs`).
 */

/** A part of a template: literal text, or what stands between `{{` and `}}`. */
export type TemplatePiece = { text: string; source?: undefined } | { source: string; text?: undefined }

/** Where a placeholder that begins at `from` ends: quotes inside may hold braces. */
function placeholderEnd(template: string, from: number): number {
  let quote = ''
  for (let at = from; at < template.length; at += 1) {
    const character = template[at] ?? ''
    if (quote) {
      if (character === '\\') at += 1
      else if (character === quote) quote = ''
    } else if (character === '"' || character === "'") {
      quote = character
    } else if (template.startsWith('}}', at)) {
      return at
    }
  }
  return -1
}

/** Splits a template into its parts; a placeholder that never ends stays text. */
export function pieces(template: string): TemplatePiece[] {
  const found: TemplatePiece[] = []
  let literal = 0
  let at = 0
  for (;;) {
    const open = template.indexOf('{{', at)
    const end = open < 0 ? -1 : placeholderEnd(template, open + 2)
    if (end < 0) break
    if (open > literal) found.push({ text: template.slice(literal, open) })
    found.push({ source: template.slice(open + 2, end) })
    at = end + 2
    literal = at
  }
  if (literal < template.length) found.push({ text: template.slice(literal) })
  return found
}

/** A variable an expression reads: `alert.labels.service` is its three parts. */
export interface Reference {
  parts: string[]
  /** What is read of it is known only later: `labels[name]`. */
  open: boolean
}

type Token = { kind: 'name' | 'text' | 'number' | 'sign'; value: string }

const TOKEN = /\s+|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\p{L}_][\p{L}\p{N}_]*)|(\d[\dA-Za-z_]*)|(.)/gsu

function tokens(source: string): Token[] {
  const found: Token[] = []
  for (const [, double, single, name, digits, sign] of source.matchAll(TOKEN)) {
    const quoted = double ?? single
    if (quoted !== undefined) found.push({ kind: 'text', value: quoted.replace(/\\(.)/gs, '$1') })
    else if (name !== undefined) found.push({ kind: 'name', value: name })
    else if (digits !== undefined) found.push({ kind: 'number', value: digits })
    else if (sign !== undefined) found.push({ kind: 'sign', value: sign })
  }
  return found
}

const KEYWORDS = new Set([
  'and', 'or', 'not', 'in', 'is', 'if', 'else', 'true', 'false', 'none', 'True', 'False', 'None',
])

const is = (token: Token | undefined, kind: Token['kind'], ...values: string[]) =>
  token?.kind === kind && (values.length === 0 || values.includes(token.value))

/** Whether a name is no variable: a filter, a word of the language, a test, or the name of an argument. */
function noVariable(all: Token[], at: number): boolean {
  const [two, one, next, after] = [all[at - 2], all[at - 1], all[at + 1], all[at + 2]]
  const argument = is(one, 'sign', '(', ',') && is(next, 'sign', '=') && !is(after, 'sign', '=')
  return (
    is(one, 'sign', '|') || KEYWORDS.has(all[at]?.value ?? '') || is(one, 'name', 'is') ||
    (is(one, 'name', 'not') && is(two, 'name', 'is')) || argument
  )
}

/** The variables an expression reads. */
export function references(source: string): Reference[] {
  const all = tokens(source)
  const found: Reference[] = []
  let at = 0
  while (at < all.length) {
    const token = all[at]
    if (!token || token.kind !== 'name' || noVariable(all, at)) {
      at += 1
      continue
    }
    const reference: Reference = { parts: [token.value], open: false }
    at += 1
    for (;;) {
      const [one, two, three] = [all[at], all[at + 1], all[at + 2]]
      if (is(one, 'sign', '.') && two?.kind === 'name') {
        reference.parts.push(two.value)
        at += 2
      } else if (is(one, 'sign', '[') && two?.kind === 'text' && is(three, 'sign', ']')) {
        reference.parts.push(two.value)
        at += 3
      } else {
        reference.open = is(one, 'sign', '[')
        break
      }
    }
    found.push(reference)
  }
  return found
}
