/** What is open while a text is read: a mapping or a sequence, at its column. */
interface Open {
  column: number
  kind: 'map' | 'seq'
  pointer: string
  /** Where what comes next belongs: the last key, or the last item. */
  inside: string
  count: number
}

const DOUBLE = /"((?:[^"\\]|\\.)*)"/.source
const SINGLE = /'((?:[^']|'')*)'/.source
const PLAIN = /((?:[^\s:#"'[\]{},&*!|>%@`]|:(?=\S))(?:[^:]|:(?=\S))*?)/.source
/** A key, and the colon that ends it. */
const KEY = new RegExp(`^(?:${DOUBLE}|${SINGLE}|${PLAIN})\\s*:(?=\\s|$)`)
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
    const key = KEY.exec(rest)
    if (!key) return undefined
    const map = collection(open, 'map', column)
    const name = key[1] !== undefined ? unescaped(key[1]) : key[2]?.replaceAll("''", "'") ?? key[3] ?? ''
    map.inside = `${map.pointer}/${token(name)}`
    note(found, map.inside, number)
    return BLOCK.test(rest.slice(key[0].length).trim()) ? column : undefined
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

/** The text of a key at the top of a document; nothing when it is not there, or is no short text. */
export function topLevel(yaml: string, key: string): string | undefined {
  const line = yaml.split(/\r\n|\n/).find((one) => KEY.exec(one)?.[3] === key)
  const value = line?.slice(line.indexOf(':') + 1).replace(/(^|\s)#.*$/, '').trim()
  if (!value || /^[|>&*![{]/.test(value)) return undefined
  if (/^".*"$/.test(value)) return unescaped(value.slice(1, -1))
  return /^'.*'$/.test(value) ? value.slice(1, -1).replaceAll("''", "'") : value
}

/**
 * The document with a key at its top set to a plain word: in its line when it has one, else after
 * the line of `after`. A document that has neither comes back as it was.
 */
export function withTopLevel(yaml: string, key: string, word: string, after: string): string {
  const lines = yaml.split('\n')
  const lineOf = (name: string) => lines.findIndex((line) => KEY.exec(line)?.[3] === name)
  const own = lineOf(key)
  const line = lines[own]
  if (line !== undefined) {
    const comment = /\s#.*$/.exec(line)?.[0] ?? ''
    return lines.with(own, `${key}: ${word}${comment.trimEnd()}`).join('\n')
  }
  const before = lineOf(after)
  if (before < 0) return yaml
  return lines.toSpliced(before + 1, 0, `${key}: ${word}`).join('\n')
}
