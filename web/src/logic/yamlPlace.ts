/** What is open while a text is read: a mapping or a sequence, at its column. */
interface Open {
  column: number
  kind: 'map' | 'seq'
  pointer: string
  /** Where what comes next belongs: the last key, or the last item. */
  inside: string
  count: number
}

const QUOTED = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')\s*:(?=\s|$)/
const PLAIN = /^(?:[^\s:#"'[\]{},&*!|>%@`?]|[:?](?=\S))/
const ITEM = /^-(?:(\s+)|$)/
const BLOCK = /^(?:[&!]\S*\s+)*[|>][-+\d]*\s*(?:#.*)?$/

/**
 * The lines, from 1, at which the nodes of a YAML text begin, by their JSON pointers (RFC 6901).
 * Block style as people write runbooks; what stands inside braces or brackets has no line of its
 * own. It is for finding a place, not for judging: a text that is no YAML gives what can be seen.
 */
export function pointerLines(yaml: string): Map<string, number> {
  const found = new Map<string, number>()
  const open: Open[] = []
  // Lines deeper than this belong to a text of several lines.
  let scalar: number | undefined
  yaml.split(/\r\n|\n/).forEach((line, index) => {
    const column = line.search(/\S/)
    if (column < 0) return
    if (scalar !== undefined && column > scalar) return
    scalar = undefined
    if (line[column] === '#' || (column === 0 && /^(---|\.\.\.|%)/.test(line))) return
    scalar = read(line, column, index + 1, open, found)
  })
  return found
}

interface Key {
  name: string
  /** Characters up to and with the colon that ends it. */
  length: number
  quoted: boolean
}

/** The key a text begins with. In one pass: whoever wrote the text may mean harm. */
function keyOf(text: string): Key | undefined {
  const [whole, double, single] = QUOTED.exec(text) ?? []
  if (whole !== undefined) {
    return { name: double !== undefined ? unescaped(double) : (single ?? '').replaceAll("''", "'"), length: whole.length, quoted: true }
  }
  const end = PLAIN.test(text) ? text.search(/:(?=\s|$)/) : -1
  return end < 0 ? undefined : { name: text.slice(0, end).trimEnd(), length: end + 1, quoted: false }
}

/** Takes one line; gives the column a text of several lines belongs to, when one begins here. */
function read(
  line: string, start: number, number: number, open: Open[], found: Map<string, number>,
): number | undefined {
  let column = start
  for (;;) {
    const rest = line.slice(column)
    const item = ITEM.exec(rest)
    if (item) {
      const seq = collection(open, 'seq', column)
      seq.inside = `${seq.pointer}/${seq.count}`
      seq.count += 1
      note(found, seq.inside, number)
      if (!item[1]) return undefined
      const value = column + 1 + item[1].length
      if (BLOCK.test(line.slice(value))) return column
      column = value
      continue
    }
    const key = keyOf(rest)
    if (!key) return undefined
    const map = collection(open, 'map', column)
    map.inside = `${map.pointer}/${token(key.name)}`
    note(found, map.inside, number)
    return BLOCK.test(rest.slice(key.length).trim()) ? column : undefined
  }
}

/** The collection of this kind at this column, opened if it is new; what is deeper is closed. */
function collection(open: Open[], kind: Open['kind'], column: number): Open {
  const closes = (top: Open) => top.column > column || (top.column === column && top.kind === 'seq' && kind === 'map')
  for (let top = open.at(-1); top && closes(top); top = open.at(-1)) open.pop()
  const top = open.at(-1)
  if (top?.kind === kind && top.column === column) return top
  const made: Open = { column, kind, pointer: top?.inside ?? '', inside: top?.inside ?? '', count: 0 }
  open.push(made)
  return made
}

/** The first place counts, as it does for the server. */
function note(found: Map<string, number>, pointer: string, line: number): void {
  if (!found.has(pointer)) found.set(pointer, line)
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}

const token = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** The line, from 1, of what a JSON pointer names, or of the nearest thing around it. */
export function lineOfPointer(yaml: string, pointer: string): number {
  const lines = pointerLines(yaml)
  for (let path = pointer; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const line = lines.get(path)
    if (line !== undefined) return line
    if (!path.includes('/')) break
  }
  return 1
}

const lineWith = (lines: string[], key: string) => lines.findIndex((line) => {
  const found = keyOf(line)
  return found?.name === key && !found.quoted
})

/** The text of a key at the top of a document; nothing when it is not there, or is no short text. */
export function topLevel(yaml: string, key: string): string | undefined {
  const lines = yaml.split(/\r\n|\n/)
  const line = lines[lineWith(lines, key)]
  const value = line?.slice(line.indexOf(':') + 1).replace(/(?:^|\s)#.*$/, '').trim()
  if (!value || /^[|>&*![{]/.test(value)) return undefined
  if (/^".*"$/.test(value)) return unescaped(value.slice(1, -1))
  return /^'.*'$/.test(value) ? value.slice(1, -1).replaceAll("''", "'") : value
}

/** Whether a document could say something of a key at its top in a way that is not read here: as people do not write. */
export function hides(yaml: string, key: string): boolean {
  if (topLevel(yaml, key) !== undefined) return false
  return yaml.split(/\r\n|\n/).some((line) => {
    const found = keyOf(line)
    return found ? found.quoted || found.name === key || found.name === '<<' : /^[^\s#\-.%]/.test(line)
  })
}

/**
 * The document with a key at its top set to a plain word: in its line when it has one, else after
 * the line of `after`. A document that has neither comes back as it was.
 */
export function withTopLevel(yaml: string, key: string, word: string, after: string): string {
  const lines = yaml.split('\n')
  const own = lineWith(lines, key)
  const line = lines[own]
  if (line !== undefined) {
    const comment = /\s#.*$/.exec(line)?.[0] ?? ''
    return lines.with(own, `${key}: ${word}${comment.trimEnd()}`).join('\n')
  }
  const before = lineWith(lines, after)
  if (before < 0) return yaml
  return lines.toSpliced(before + 1, 0, `${key}: ${word}`).join('\n')
}
