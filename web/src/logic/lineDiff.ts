/** A line of a comparison, with its numbers in the two texts, from 1. */
export interface DiffLine {
  kind: 'same' | 'gone' | 'come'
  text: string
  before?: number
  after?: number
}

/** Two texts compared; not `exact` where the smallest difference would have taken too long. */
export interface LineDiff {
  lines: DiffLine[]
  exact: boolean
  gone: number
  come: number
}

/** Differences looked for before a block counts as replaced as a whole; the effort grows with its square. */
const MOST_DIFFERENCES = 1_500

/**
 * What differs between two texts, line by line: the fewest lines gone and come (Myers, "An O(ND)
 * Difference Algorithm and Its Variations", 1986). Where more than `most` lines differ, all of the
 * middle counts as replaced.
 */
export function lineDiff(before: string, after: string, most = MOST_DIFFERENCES): LineDiff {
  const [old, now] = [split(before), split(after)]
  const shorter = Math.min(old.length, now.length)
  let head = 0
  while (head < shorter && old[head] === now[head]) head += 1
  let tail = 0
  while (tail < shorter - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1
  const [a, b] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)]
  const middle = shortest(a, b, most)
  const kinds: DiffLine['kind'][] = [
    ...Array.from({ length: head }, () => 'same' as const),
    ...goneFirst(middle ?? [...a.map(() => 'gone' as const), ...b.map(() => 'come' as const)]),
    ...Array.from({ length: tail }, () => 'same' as const),
  ]
  const lines = numbered(kinds, old, now)
  return {
    lines,
    exact: middle !== undefined,
    gone: lines.filter((line) => line.kind === 'gone').length,
    come: lines.filter((line) => line.kind === 'come').length,
  }
}

/** The lines of a text; what stands after its last line break is one only when it says something. */
function split(text: string): string[] {
  const lines = text.split(/\r\n|\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The shortest way from `a` to `b`; nothing when it has more than `most` steps. */
function shortest(a: string[], b: string[], most: number): DiffLine['kind'][] | undefined {
  const [n, m] = [a.length, b.length]
  const max = Math.min(n + m, most)
  const zero = max + 1
  // How far each diagonal was reached: the place in `a`.
  const far = new Int32Array(2 * max + 3)
  const at = (k: number) => far[zero + k] ?? 0
  const trace: Int32Array[] = []
  for (let d = 0; d <= max; d += 1) {
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1
      while (x < n && x - k < m && a[x] === b[x - k]) x += 1
      far[zero + k] = x
      if (x >= n && x - k >= m) return back(trace, d, n, m)
    }
    trace.push(far.slice(zero - d, zero + d + 1))
  }
  return undefined
}

/** The way that was found, from its end to its beginning. */
function back(trace: Int32Array[], d: number, n: number, m: number): DiffLine['kind'][] {
  const kinds: DiffLine['kind'][] = []
  let [x, y] = [n, m]
  for (let step = d; step > 0; step -= 1) {
    const k = x - y
    const at = (diagonal: number) => trace[step - 1]?.[diagonal + step - 1] ?? 0
    const down = k === -step || (k !== step && at(k - 1) < at(k + 1))
    const from = down ? k + 1 : k - 1
    const [px, py] = [at(from), at(from) - from]
    while (x > px && y > py) {
      kinds.push('same')
      x -= 1
      y -= 1
    }
    kinds.push(down ? 'come' : 'gone')
    x = px
    y = py
  }
  while (x > 0 && y > 0) {
    kinds.push('same')
    x -= 1
    y -= 1
  }
  return kinds.reverse()
}

/** Within each change what is gone before what has come: that is how people read it. */
function goneFirst(kinds: DiffLine['kind'][]): DiffLine['kind'][] {
  const sorted: DiffLine['kind'][] = []
  let come = 0
  for (const kind of kinds) {
    if (kind === 'come') {
      come += 1
      continue
    }
    if (kind === 'same') {
      for (; come > 0; come -= 1) sorted.push('come')
    }
    sorted.push(kind)
  }
  for (; come > 0; come -= 1) sorted.push('come')
  return sorted
}

function numbered(kinds: DiffLine['kind'][], old: string[], now: string[]): DiffLine[] {
  let [before, after] = [0, 0]
  return kinds.map((kind): DiffLine => {
    if (kind !== 'come') before += 1
    if (kind !== 'gone') after += 1
    const text = (kind === 'come' ? now[after - 1] : old[before - 1]) ?? ''
    return {
      kind,
      text,
      before: kind === 'come' ? undefined : before,
      after: kind === 'gone' ? undefined : after,
    }
  })
}

/** A row of two columns: what was there, and what is there now. */
export interface DiffRow {
  left?: DiffLine
  right?: DiffLine
}

/** The lines in two columns: the first gone line of a change beside the first that came, and so on. */
export function sideBySide(lines: DiffLine[]): DiffRow[] {
  const rows: DiffRow[] = []
  let [gone, come]: [DiffLine[], DiffLine[]] = [[], []]
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1) rows.push({ left: gone[at], right: come[at] })
    gone = []
    come = []
  }
  for (const line of lines) {
    if (line.kind === 'gone') gone.push(line)
    else if (line.kind === 'come') come.push(line)
    else {
      flush()
      rows.push({ left: line, right: line })
    }
  }
  flush()
  return rows
}

/** A piece of a comparison: lines to show, or so many unchanged ones left out. */
export interface DiffPiece {
  lines: DiffLine[]
  folded: boolean
}

/** Folds long runs of unchanged lines, leaving `context` of them beside each change. */
export function folded(lines: DiffLine[], context = 3): DiffPiece[] {
  const near = new Uint8Array(lines.length)
  lines.forEach((line, at) => {
    if (line.kind === 'same') return
    for (let by = -context; by <= context; by += 1) if (at + by >= 0 && at + by < lines.length) near[at + by] = 1
  })
  const pieces: DiffPiece[] = []
  lines.forEach((line, at) => {
    const fold = near[at] === 0
    const last = pieces.at(-1)
    if (last && last.folded === fold) last.lines.push(line)
    else pieces.push({ lines: [line], folded: fold })
  })
  // One hidden line saves nothing: the row that says so is as high.
  return pieces.map((piece) => (piece.folded && piece.lines.length === 1 ? { ...piece, folded: false } : piece))
}
