/** A part of an output, measured: lengths in UTF-16 units, places in bytes of the output. */
export interface Block {
  /** Its first byte. */
  from: number
  /** The byte after its last. */
  next: number
  /** Line breaks in it. */
  breaks: number
  /** Characters before its first line break; all of them when it has none. */
  head: number
  /** Characters after its last line break; all of them when it has none. */
  tail: number
  /** Line breaks before it. */
  before: number
  /** The look (`logic/ansi`) at its beginning. */
  look: number
}

/** Where a line begins: in which block, after which of its line breaks (-1: at its beginning). */
export interface Start {
  block: number
  nth: number
}

/** The places after the line breaks of a text. */
export function lineStarts(text: string): Uint32Array {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  const starts = new Uint32Array(count)
  let line = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    starts[line] = at + 1
    line += 1
  }
  return starts
}

/**
 * Which line lies where in an output that is read part by part. It keeps seven numbers a part, so
 * that outputs of any size, also of nothing but line breaks, have an index that fits.
 */
export class LineIndex {
  readonly blocks: Block[] = []

  /** The byte after the last that is known. */
  get next(): number {
    return this.blocks.at(-1)?.next ?? 0
  }

  /** How many lines there are so far; a last one that nothing stands in is none. */
  get lines(): number {
    const last = this.blocks.at(-1)
    if (!last) return 0
    return last.before + last.breaks + (this.open > 0 ? 1 : 0)
  }

  /** Characters after the last line break. */
  private get open(): number {
    let chars = 0
    for (let block = this.blocks.length - 1; block >= 0; block -= 1) {
      const { tail, breaks } = this.blocks[block] as Block
      chars += tail
      if (breaks > 0) break
    }
    return chars
  }

  /** Adds a part that goes on where the last one ends. */
  push(from: number, next: number, text: string, starts: Uint32Array, look: number) {
    const last = this.blocks.at(-1)
    this.blocks.push(measured(from, next, text, starts, last ? last.before + last.breaks : 0, look))
  }

  /** Puts the last part, which grew, anew. */
  regrow(next: number, text: string, starts: Uint32Array) {
    const last = this.blocks.pop()
    if (last) this.blocks.push(measured(last.from, next, text, starts, last.before, last.look))
  }

  /** Where a line begins. None beyond the end. */
  start(line: number): Start | undefined {
    if (line < 0 || line >= this.lines) return undefined
    if (line === 0) return { block: 0, nth: -1 }
    const wanted = line - 1
    let low = 0
    let high = this.blocks.length - 1
    // The last block with no more than `wanted` line breaks before it has that line break in it.
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.blocks[middle]?.before ?? 0) <= wanted) low = middle
      else high = middle - 1
    }
    return { block: low, nth: wanted - (this.blocks[low]?.before ?? 0) }
  }

  /** How many characters a line has that begins in `block` after its last line break. */
  spanning(block: number): number {
    let chars = this.blocks[block]?.tail ?? 0
    for (let at = block + 1; at < this.blocks.length; at += 1) {
      const { head, breaks } = this.blocks[at] as Block
      chars += head
      if (breaks > 0) break
    }
    return chars
  }

  /** Whether the line that begins after the last break of `block` ends within what is known. */
  closed(block: number): boolean {
    return this.blocks.slice(block + 1).some((later) => later.breaks > 0)
  }
}

function measured(
  from: number, next: number, text: string, starts: Uint32Array, before: number, look: number,
): Block {
  const breaks = starts.length
  const head = breaks > 0 ? (starts[0] ?? 1) - 1 : text.length
  const tail = text.length - (breaks > 0 ? (starts[breaks - 1] ?? 0) : 0)
  return { from, next, breaks, head, tail, before, look }
}
