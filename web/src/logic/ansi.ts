import { PLAIN, restyled, type Look } from './sgr'
import { visible } from './visible'

/** A piece of a line, in one look; with `control`, something that is no text and what it is. */
export interface Token {
  text: string
  look: Look
  control?: string
}

/** Something that begins with ESC: where it ends, and what it is. */
interface Sequence {
  end: number
  kind: 'sgr' | 'csi' | 'string' | 'escape'
  name: string
  params: string
}

const ESC = 0x1b
/** The longest control string that is taken for one. Beyond it the text is shown: nothing is swallowed. */
const LONGEST_STRING = 4_096
const LONGEST_CSI = 256
/** Sequences cut by the end of a part are at most this long, in characters, to be put together. */
export const LONGEST_SGR = 64

const STRINGS: Record<string, string> = {
  ']': 'operating system command', P: 'device control string', X: 'start of string', '^': 'privacy message',
  _: 'application command',
}

/**
 * The escape sequence that begins at `at`, which is an ESC (ECMA-48, 5.4 and 5.6). None when it is
 * not whole: whatever is half of a sequence, or a string without an end, is text. A line break
 * never belongs to one, so that no output hides the lines after it.
 */
function sequenceAt(text: string, at: number): Sequence | undefined {
  const second = text.charAt(at + 1)
  if (second === '[') return csiAt(text, at)
  const string = STRINGS[second]
  if (string !== undefined) return stringAt(text, at, second, string)
  let end = at + 1
  while (between(text, end, 0x20, 0x2f)) end += 1
  if (!between(text, end, 0x30, 0x7e) || end - at > 8) return undefined
  return { end: end + 1, kind: 'escape', name: 'escape sequence', params: '' }
}

function between(text: string, at: number, low: number, high: number): boolean {
  const code = text.charCodeAt(at)
  return code >= low && code <= high
}

function csiAt(text: string, at: number): Sequence | undefined {
  let end = at + 2
  while (between(text, end, 0x30, 0x3f) && end - at < LONGEST_CSI) end += 1
  const params = text.slice(at + 2, end)
  const plain = end
  while (between(text, end, 0x20, 0x2f) && end - at < LONGEST_CSI) end += 1
  if (!between(text, end, 0x40, 0x7e)) return undefined
  const sgr = text.charAt(end) === 'm' && plain === end && /^[\d;:]*$/.test(params)
  return { end: end + 1, kind: sgr ? 'sgr' : 'csi', name: 'cursor or screen control', params }
}

function stringAt(text: string, at: number, opener: string, name: string): Sequence | undefined {
  const last = Math.min(text.length, at + LONGEST_STRING)
  for (let end = at + 2; end < last; end += 1) {
    const code = text.charCodeAt(end)
    if (code === 0x0a) return undefined
    if (code === 0x07 && opener === ']') return { end: end + 1, kind: 'string', name, params: '' }
    if (code === ESC) {
      return text.charAt(end + 1) === '\\' ? { end: end + 2, kind: 'string', name, params: '' } : undefined
    }
  }
  return undefined
}

const NAMES = [
  'NUL', 'SOH', 'STX', 'ETX', 'EOT', 'ENQ', 'ACK', 'BEL', 'BS', 'HT', 'LF', 'VT', 'FF', 'CR', 'SO', 'SI', 'DLE',
  'DC1', 'DC2', 'DC3', 'DC4', 'NAK', 'SYN', 'ETB', 'CAN', 'EM', 'SUB', 'ESC', 'FS', 'GS', 'RS', 'US',
]

/** What stands for a control character of ASCII: `\r` → `⟨CR⟩`. The pictures Unicode has are in few fonts. */
function picture(code: number): string {
  return `⟨${code === 0x7f ? 'DEL' : (NAMES[code] ?? code)}⟩`
}

const CONTROLS: Record<number, string> = {
  0x00: 'null', 0x07: 'bell', 0x08: 'backspace', 0x0b: 'vertical tab', 0x0c: 'form feed', 0x0d: 'carriage return',
  0x1b: 'escape', 0x7f: 'delete',
}

/**
 * A line as it may be shown: text in its looks, and everything that would move the cursor, overwrite,
 * ring, set a title, make a link or turn the direction as tokens of their own. Colours are followed;
 * with `codes` every other sequence is shown as it was sent, without it sequences that hold no text
 * are left out and strings are shown as a mark. Nothing that is text is ever left out.
 */
export function tokens(line: string, look: Look = PLAIN, codes = false): { tokens: Token[]; look: Look } {
  const found: Token[] = []
  let now = look
  let from = 0
  for (let at = line.indexOf('\u001b'); at >= 0; at = line.indexOf('\u001b', from)) {
    text(line.slice(from, at), now, found)
    const sequence = sequenceAt(line, at)
    if (!sequence) {
      found.push({ text: picture(ESC), look: now, control: 'escape' })
      from = at + 1
      continue
    }
    if (sequence.kind === 'sgr') now = restyled(now, sequence.params)
    const raw = line.slice(at, sequence.end)
    if (codes && sequence.kind !== 'sgr') {
      found.push({ text: pictured(raw), look: now, control: sequence.name })
    } else if (sequence.kind === 'string') {
      found.push({ text: '⟨ESC…⟩', look: now, control: `${sequence.name}: ${pictured(raw)}` })
    }
    from = sequence.end
  }
  text(line.slice(from), now, found)
  return { tokens: found, look: now }
}

function text(piece: string, look: Look, into: Token[]) {
  for (const part of visible(piece)) {
    if (part.hidden === undefined) {
      into.push({ text: part.text, look })
    } else {
      const code = parseInt(part.hidden.slice(2), 16)
      const name = CONTROLS[code] ?? `hidden character ${part.hidden}`
      into.push({ text: code < 0x20 || code === 0x7f ? picture(code) : part.text, look, control: name })
    }
  }
}

/** A sequence in signs that can be seen. */
function pictured(raw: string): string {
  return visible(raw)
    .map((part) => {
      if (part.hidden === undefined) return part.text
      const code = parseInt(part.hidden.slice(2), 16)
      return code < 0x20 || code === 0x7f ? picture(code) : part.text
    })
    .join('')
}

/** What of an output can be read, its line breaks kept: what a search looks in. */
export function plain(output: string): string {
  let readable = output
  if (output.includes('\u001b')) {
    const parts: string[] = []
    let from = 0
    for (let at = output.indexOf('\u001b'); at >= 0; at = output.indexOf('\u001b', from)) {
      parts.push(output.slice(from, at))
      from = sequenceAt(output, at)?.end ?? at + 1
    }
    parts.push(output.slice(from))
    readable = parts.join('')
  }
  return visible(readable).filter((part) => part.hidden === undefined).map((part) => part.text).join('')
}

/**
 * The look at the start of each line of `output`: `starts` are the places after its line breaks.
 * `look` is that at its beginning. None when every line begins plain.
 */
export function looks(output: string, starts: Uint32Array, look: Look): { lines?: Uint16Array; end: Look } {
  let at = output.indexOf('\u001b')
  if (at < 0 && look === PLAIN) return { end: PLAIN }
  const lines = new Uint16Array(starts.length)
  let now = look
  let line = 0
  while (at >= 0) {
    const sequence = sequenceAt(output, at)
    if (sequence?.kind === 'sgr') {
      for (; line < starts.length && (starts[line] ?? 0) <= at; line += 1) lines[line] = now
      now = restyled(now, sequence.params)
    }
    at = output.indexOf('\u001b', sequence?.end ?? at + 1)
  }
  lines.fill(now, line)
  return { lines, end: now }
}

/** The look after a sequence that began at the end of one part of an output and ends in the next. */
export function lookAcross(before: string, after: string, look: Look): Look {
  const at = before.lastIndexOf('\u001b')
  if (at < 0 || before.length - at > LONGEST_SGR || sequenceAt(before, at)) return look
  const whole = sequenceAt(before.slice(at) + after.slice(0, LONGEST_SGR), 0)
  return whole?.kind === 'sgr' ? restyled(look, whole.params) : look
}
