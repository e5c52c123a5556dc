/** How a line of one side stands to the other side. */
export type LineMark = 'same' | 'changed' | 'gone' | 'come'

/** A line of two documents beside each other; a side that has nothing there is absent. */
export interface JsonLine {
  mark: LineMark
  left?: string
  right?: string
}

/** Lines that are the same on both sides and are left out. */
export interface HiddenLines {
  hidden: number
}

interface Side {
  value: unknown
  /** What stands before the value: `"port": `. */
  lead: string
  comma: boolean
}

const INDENT = '  '
/** Deeper than this a value is written on one line: nobody reads it there, and calls are not endless. */
const DEEPEST = 100
/** Longer lists are compared place by place: to align them costs the product of their lengths. */
const MOST_ALIGNED = 40_000

type Members = Record<string, unknown>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The words for what is no value: a secret kept as a digest, what nobody knows before it is applied. */
function token(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  const names = Object.keys(value)
  if (names.length !== 1) return undefined
  if (names[0] === 'sealed') {
    const digest = value.sealed
    if (digest === true) return '⟨secret⟩'
    return typeof digest === 'string' ? `⟨secret, digest ${digest.slice(0, 8)}…⟩` : undefined
  }
  return names[0] === 'unknown' && value.unknown === true ? '⟨known once it is applied⟩' : undefined
}

/** The same text for the same value, whatever the order of its members. */
export function canonical(value: unknown, depth = 0): string {
  if (depth > DEEPEST) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one, depth + 1)).join(',')}]`
  if (isObject(value)) {
    const members = names(value).map((name) => `${JSON.stringify(name)}:${canonical(value[name], depth + 1)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

const names = (value: Members) => Object.keys(value).sort()

/** Whether a value is written in one line. */
export function isShort(value: unknown): boolean {
  if (token(value) !== undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return !isObject(value) || Object.keys(value).length === 0
}

/** A value in lines, its members in the order of their names. */
export function prettyLines(value: unknown): string[] {
  return printed({ value, lead: '', comma: false }, 0)
}

function printed(side: Side, depth: number): string[] {
  const { value, lead, comma } = side
  const pad = INDENT.repeat(depth)
  const end = comma ? ',' : ''
  if (isShort(value) || depth > DEEPEST) {
    return [`${pad}${lead}${token(value) ?? JSON.stringify(value) ?? 'null'}${end}`]
  }
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const inner = parts(value).flatMap((part) => printed(part, depth + 1))
  return [`${pad}${lead}${open}`, ...inner, `${pad}${close}${end}`]
}

function parts(value: unknown): Side[] {
  if (Array.isArray(value)) {
    return value.map((one, index) => ({ value: one, lead: '', comma: index < value.length - 1 }))
  }
  if (!isObject(value)) return []
  const all = names(value)
  return all.map((name, index) => ({
    value: value[name], lead: `${JSON.stringify(name)}: `, comma: index < all.length - 1,
  }))
}

/** Two values line beside line: what is declared on the left, what is there on the right. */
export function diffJson(left: unknown, right: unknown): JsonLine[] {
  const lines: JsonLine[] = []
  walk({ value: left, lead: '', comma: false }, { value: right, lead: '', comma: false }, 0, lines)
  return lines
}

function walk(left: Side | undefined, right: Side | undefined, depth: number, lines: JsonLine[]) {
  if (left && right) {
    both(left, right, depth, lines)
  } else if (left) {
    for (const line of printed(left, depth)) lines.push({ mark: 'gone', left: line })
  } else if (right) {
    for (const line of printed(right, depth)) lines.push({ mark: 'come', right: line })
  }
}

function both(left: Side, right: Side, depth: number, lines: JsonLine[]) {
  const pairs = depth <= DEEPEST ? paired(left.value, right.value) : undefined
  if (!pairs) {
    const same = canonical(left.value) === canonical(right.value)
    const [one, other] = [printed(left, depth), printed(right, depth)]
    for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
      const mark = same ? 'same' : one[at] === undefined ? 'come' : other[at] === undefined ? 'gone' : 'changed'
      lines.push({ mark, left: one[at], right: other[at] })
    }
    return
  }
  const pad = INDENT.repeat(depth)
  const [open, close] = Array.isArray(left.value) ? '[]' : '{}'
  lines.push({ mark: 'same', left: `${pad}${left.lead}${open}`, right: `${pad}${right.lead}${open}` })
  for (const [one, other] of pairs) walk(one, other, depth + 1, lines)
  const end = (side: Side) => `${pad}${close}${side.comma ? ',' : ''}`
  lines.push({ mark: 'same', left: end(left), right: end(right) })
}

type Pair = [Side | undefined, Side | undefined]

/** What belongs together in two values that both have parts; nothing for others. */
function paired(left: unknown, right: unknown): Pair[] | undefined {
  if (isShort(left) || isShort(right) || Array.isArray(left) !== Array.isArray(right)) return undefined
  const [one, other] = [parts(left), parts(right)]
  if (Array.isArray(left)) return aligned(one, other)
  const of = (sides: Side[]) => new Map(sides.map((side) => [side.lead, side]))
  const [mine, theirs] = [of(one), of(other)]
  const leads = isObject(left) && isObject(right) ? [...new Set([...names(left), ...names(right)])].sort() : []
  return leads.map((name): Pair => {
    const lead = `${JSON.stringify(name)}: `
    return [mine.get(lead), theirs.get(lead)]
  })
}

/** Elements that are the same stay beside each other; what is between them is paired by its place. */
function aligned(left: Side[], right: Side[]): Pair[] {
  const pairs: Pair[] = []
  let [at, to] = [0, 0]
  const between = (end: number, until: number) => {
    while (at < end || to < until) {
      pairs.push([at < end ? left[at] : undefined, to < until ? right[to] : undefined])
      at += 1
      to += 1
    }
    at = end
    to = until
  }
  const texts = (sides: Side[]) => sides.map((side) => canonical(side.value))
  for (const [one, other] of common(texts(left), texts(right))) {
    between(one, other)
    pairs.push([left[one], right[other]])
    at = one + 1
    to = other + 1
  }
  between(left.length, right.length)
  return pairs
}

/** The longest common subsequence, as places on both sides. */
function common(left: string[], right: string[]): [number, number][] {
  const width = right.length + 1
  if (left.length * right.length > MOST_ALIGNED) return []
  const length = new Uint32Array((left.length + 1) * width)
  const at = (i: number, j: number) => length[i * width + j] ?? 0
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      length[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const places: [number, number][] = []
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) {
      places.push([i, j])
      i += 1
      j += 1
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1
    else j += 1
  }
  return places
}

/** Leaves out what is the same, but for `around` lines at each difference. */
export function foldLines(lines: JsonLine[], around = 3): (JsonLine | HiddenLines)[] {
  const near = new Uint8Array(lines.length)
  lines.forEach((line, at) => {
    if (line.mark === 'same') return
    near.fill(1, Math.max(0, at - around), Math.min(lines.length, at + around + 1))
  })
  const folded: (JsonLine | HiddenLines)[] = []
  let hidden = 0
  const close = (last?: JsonLine) => {
    // One line is not worth a line that says that one is hidden.
    if (hidden === 1 && last) folded.push(last)
    else if (hidden > 0) folded.push({ hidden })
    hidden = 0
  }
  lines.forEach((line, at) => {
    if (near[at]) {
      close(lines[at - 1])
      folded.push(line)
    } else hidden += 1
  })
  close(lines.at(-1))
  return folded
}

/** How many lines differ, and how. */
export function countMarks(lines: JsonLine[]): Record<LineMark, number> {
  const counted: Record<LineMark, number> = { same: 0, changed: 0, gone: 0, come: 0 }
  for (const line of lines) counted[line.mark] += 1
  return counted
}
