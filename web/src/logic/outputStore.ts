import { looks, lookAcross, LONGEST_SGR } from './ansi'
import { LineIndex, lineStarts } from './lineIndex'
import { fresh, SIZES, type Line, type Part, type Read, type Sizes, type Standing } from './outputParts'

/** Lines remembered as they are shown: more than fit any screen. */
const LINES_SEEN = 400

interface Decoded {
  text: string
  starts: Uint32Array
  looks?: Uint16Array
}

/**
 * An output of any size, of which only an index and a few blocks are in memory. It is read in
 * order as far as is wanted, so that lines have their numbers; blocks that were let go are asked
 * for again when a line of theirs is looked at.
 */
export class OutputStore {
  private index = new LineIndex()
  private kept = new Map<number, Decoded>()
  private seen = new Map<number, Line>()
  private coming = new Map<number, Promise<Decoded | undefined>>()
  private wanted: number
  private pumping = false
  private attempt: number | undefined
  private again = false
  /** Something failed: nothing is asked for by itself before the next `poke`. */
  private blocked = false
  private standing: Standing = fresh(0)
  private listeners = new Set<() => void>()
  private stop = new AbortController()

  constructor(private readonly read: Read, private readonly sizes: Sizes = SIZES) {
    this.wanted = sizes.block
  }

  /** For `useSyncExternalStore`. */
  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** How it stands now; another object after each change. */
  now = (): Standing => this.standing

  /** Blocks that are known. */
  get blocks(): number {
    return this.index.blocks.length
  }

  /** Line breaks before a block: the number of the line its beginning is in. */
  lineOf(block: number): number {
    return this.index.blocks[block]?.before ?? 0
  }

  /** Reads on, at least up to this byte. */
  want(bytes: number) {
    if (bytes > this.wanted) this.wanted = bytes
    // What failed is tried again by `poke` alone, not by every line that is looked at.
    if (!this.blocked) void this.pump()
  }

  /** There may be more than there was, or what failed may work now. */
  poke() {
    this.again = true
    this.blocked = false
    void this.pump()
  }

  /** Stops everything for good. */
  close() {
    this.stop.abort()
    this.listeners.clear()
  }

  /** Opens it anew after `close`: components are mounted twice in development. */
  open() {
    if (this.stop.signal.aborted) this.stop = new AbortController()
    this.poke()
  }

  /** A line; none when it is not there, or must be fetched first, which this begins. */
  line(number: number): Line | undefined {
    const seen = this.seen.get(number)
    if (seen) return seen
    const line = this.made(number)
    // What is in sight is remembered: lines of many blocks would push each other out of memory. The
    // last line may grow.
    if (line && number < this.standing.lines - 1) {
      if (this.seen.size >= LINES_SEEN) this.seen.clear()
      this.seen.set(number, line)
    }
    return line
  }

  private made(number: number): Line | undefined {
    const start = this.index.start(number)
    if (!start) return undefined
    const block = this.held(start.block)
    if (!block) return undefined
    const from = start.nth < 0 ? 0 : (block.starts[start.nth] ?? 0)
    const look = start.nth < 0 ? 0 : (block.looks?.[start.nth] ?? 0)
    const end = block.starts[start.nth + 1]
    if (end !== undefined) return this.cut(block.text.slice(from, end - 1), end - 1 - from, look, true)
    return this.spanning(start.block, block.text.slice(from, from + this.sizes.line + 1), look)
  }

  /** A line that begins in one block and goes on in others. All that are needed are asked for at once. */
  private spanning(block: number, begins: string, look: number): Line | undefined {
    const chars = this.index.spanning(block)
    const most = Math.min(chars, this.sizes.line + 1)
    let [text, known, whole] = [begins, begins.length, true]
    for (let at = block + 1; known < most; at += 1) {
      const head = this.index.blocks[at]?.head
      if (head === undefined) return undefined
      known += head
      const held = this.held(at)
      if (held) text += held.text.slice(0, Math.min(head, most))
      else whole = false
    }
    return whole ? this.cut(text, chars, look, this.index.closed(block)) : undefined
  }

  /** The text of a block, fetched where it must be; none when the output began anew meanwhile. */
  async text(block: number): Promise<string | undefined> {
    return (this.held(block) ?? (await this.fetched(block)))?.text
  }

  private cut(text: string, chars: number, look: number, closed: boolean): Line {
    const most = this.sizes.line
    if (chars <= most) {
      const broken = closed && text.endsWith('\r')
      return { text: broken ? text.slice(0, -1) : text, chars: broken ? chars - 1 : chars, look }
    }
    // Not through the middle of a character.
    const high = text.charCodeAt(most - 1)
    return { text: text.slice(0, high >= 0xd800 && high <= 0xdbff ? most - 1 : most), chars, look }
  }

  private held(block: number): Decoded | undefined {
    const found = this.kept.get(block)
    if (found) {
      this.kept.delete(block)
      this.kept.set(block, found)
    } else if (this.index.blocks[block] && !this.blocked) {
      void this.fetched(block)
    }
    return found
  }

  private keep(block: number, decoded: Decoded) {
    this.kept.delete(block)
    this.kept.set(block, decoded)
    const last = this.index.blocks.length - 1
    for (const old of this.kept.keys()) {
      if (this.kept.size <= this.sizes.kept) break
      // The last one grows, and is put together from what is here.
      if (old !== last && old !== block) this.kept.delete(old)
    }
  }

  private fetched(block: number): Promise<Decoded | undefined> {
    const coming = this.coming.get(block)
    if (coming) return coming
    const asked = this.fetch(block).finally(() => this.coming.delete(block))
    this.coming.set(block, asked)
    return asked
  }

  private async fetch(block: number): Promise<Decoded | undefined> {
    const began = this.standing.began
    const known = this.index.blocks[block]
    if (!known) return undefined
    try {
      const part = await this.read(known.from, known.next - known.from, this.stop.signal)
      if (began !== this.standing.began) return undefined
      if (part.from !== known.from || part.next !== known.next || this.another(part)) {
        this.restart()
        return undefined
      }
      const decoded = this.decode(part.text, known.look).decoded
      this.keep(block, decoded)
      this.say({ error: undefined })
      return decoded
    } catch (error) {
      this.failed(error)
      return undefined
    }
  }

  /** Reads on until what is wanted is there. One at a time. */
  private async pump() {
    if (this.pumping || this.stop.signal.aborted) return
    this.pumping = true
    try {
      while (!this.stop.signal.aborted && this.more()) {
        this.again = false
        const asked = this.index.next
        const part = await this.read(asked, this.sizes.block, this.stop.signal)
        if (this.stop.signal.aborted) return
        if (part.size < asked || (asked > 0 && this.another(part))) {
          this.restart()
          continue
        }
        this.attempt = part.attempt
        if (part.from !== asked || (part.text !== '' && part.next <= asked)) {
          throw new Error('the server gave another part of the output than was asked for')
        }
        if (part.text !== '') this.append(part)
        // No progress although there is more: half a character, which the rest of will come.
        const stuck = part.text === '' && part.size > asked
        this.say({ size: part.size, ended: part.ended && !stuck, truncated: part.truncated, error: undefined })
        if (stuck && !this.again) return
      }
    } catch (error) {
      this.failed(error)
    } finally {
      this.pumping = false
    }
  }

  /** Whether another attempt printed it than what is here. */
  private another({ attempt }: Part): boolean {
    return attempt !== undefined && this.attempt !== undefined && attempt !== this.attempt
  }

  private more(): boolean {
    const { size, complete } = this.standing
    return this.again ? !complete : this.index.next < Math.min(this.wanted, size)
  }

  private append(part: Part) {
    const place = this.index.blocks.length - 1
    const last = this.index.blocks[place]
    const held = this.kept.get(place)
    if (last && held && part.next - last.from <= this.sizes.block) {
      const { decoded } = this.decode(held.text + part.text, last.look)
      this.index.regrow(part.next, decoded.text, decoded.starts)
      this.keep(place, decoded)
      return
    }
    const look = last && held ? this.after(held, last.look, part.text) : (last?.look ?? 0)
    const { decoded } = this.decode(part.text, look)
    this.index.push(part.from, part.next, part.text, decoded.starts, look)
    this.keep(place + 1, decoded)
  }

  private after(held: Decoded, look: number, following: string): number {
    const { end } = looks(held.text, held.starts, look)
    return lookAcross(held.text.slice(-LONGEST_SGR), following, end)
  }

  private decode(text: string, look: number): { decoded: Decoded } {
    const starts = lineStarts(text)
    return { decoded: { text, starts, looks: looks(text, starts, look).lines } }
  }

  private restart() {
    this.index = new LineIndex()
    this.kept.clear()
    this.seen.clear()
    this.coming.clear()
    this.again = true
    this.standing = fresh(this.standing.began + 1)
    this.tell()
    void this.pump()
  }

  private failed(error: unknown) {
    if (this.stop.signal.aborted) return
    this.blocked = true
    this.say({ error })
  }

  private say(change: Partial<Standing>) {
    const now = { ...this.standing, ...change }
    now.lines = this.index.lines
    now.read = this.index.next
    now.complete = now.ended && now.read >= now.size
    this.standing = now
    this.tell()
  }

  private tell() {
    for (const listener of this.listeners) listener()
  }
}
