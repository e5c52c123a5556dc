import { plain } from './ansi'
import type { OutputStore } from './outputStore'

/** Places kept of what is found; beyond that it is only counted. */
export const MOST_PLACES = 100_000

/** The text as a pattern that finds it in either case, and nothing else. */
export function pattern(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu')
}

/** How a search stands. */
export interface Found {
  /** How often the text is there, in what was searched. */
  count: number
  /** The line of each, in order, at most `MOST_PLACES`. */
  lines: readonly number[]
  /** Blocks that were searched, of those that are known. */
  searched: number
  /** Everything there is so far was searched. */
  done: boolean
}

/** Lets the page answer between two blocks. */
const pause = () => new Promise<void>((wake) => setTimeout(wake, 0))

/**
 * Looks for a text in an output, block by block: it never holds more than one, and lets go of the
 * thread after each. It goes on where it stopped when more of the output came.
 */
export class OutputSearch {
  private lines: number[] = []
  private count = 0
  /** Blocks that will not change any more and were searched. */
  private settled = 0
  private carry = ''
  private running = false
  private stopped = false

  constructor(
    private readonly store: OutputStore,
    private readonly text: string,
    private readonly tell: (found: Found) => void,
  ) {}

  /** Ends it. */
  stop() {
    this.stopped = true
  }

  /** Searches what came since. */
  async go() {
    if (this.running || this.stopped) return
    this.running = true
    try {
      const finds = pattern(this.text)
      while (!this.stopped && this.settled < this.store.blocks) {
        const block = this.settled
        const text = await this.store.text(block)
        if (text === undefined || this.stopped) return
        // The last block grows until the output is complete: what is found in it counts for now.
        const grows = block === this.store.blocks - 1 && !this.store.now().complete
        const before = { count: this.count, lines: this.lines.length, carry: this.carry }
        this.look(text, this.store.lineOf(block), finds)
        this.settled += 1
        const done = this.settled === this.store.blocks
        this.tell({ count: this.count, lines: this.lines.slice(), searched: this.settled, done })
        if (grows) {
          this.settled = block
          this.count = before.count
          this.lines.length = before.lines
          this.carry = before.carry
          return
        }
        await pause()
      }
    } finally {
      this.running = false
    }
  }

  private look(text: string, line: number, finds: RegExp) {
    const haystack = this.carry + plain(text)
    let at = line
    let from = 0
    for (const match of haystack.matchAll(finds)) {
      for (let end = haystack.indexOf('\n', from); end >= 0 && end < match.index; end = haystack.indexOf('\n', from)) {
        at += 1
        from = end + 1
      }
      this.count += 1
      if (this.lines.length < MOST_PLACES) this.lines.push(at)
    }
    // What may be the beginning of a match that ends in the next block.
    const rest = haystack.slice(haystack.lastIndexOf('\n') + 1)
    this.carry = this.text.length > 1 ? rest.slice(-(this.text.length - 1)) : ''
  }
}

/** The number of the first place at or after a line; the first of all when there is none after it. */
export function placeFrom(lines: readonly number[], line: number): number {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle] ?? 0) < line) low = middle + 1
    else high = middle
  }
  return low < lines.length ? low : 0
}
