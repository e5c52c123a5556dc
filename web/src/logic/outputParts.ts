/** A part of an output, as the API gives it. */
export interface Part {
  text: string
  /** Its first byte. */
  from: number
  /** Where to go on. */
  next: number
  /** Bytes there are so far. */
  size: number
  /** Nothing more will come. */
  ended: boolean
  /** What came after the cap was dropped. */
  truncated: boolean
  /** Which attempt printed it; another one begins at byte 0. */
  attempt?: number
}

/** Asks for a part of the output that begins at a byte, of at most so many bytes; of this attempt, if one is named. */
export type Read = (from: number, most: number, signal: AbortSignal, attempt?: number) => Promise<Part>

/** A line to be shown. */
export interface Line {
  text: string
  /** Characters it has in all; more than `text` when it was cut. */
  chars: number
  /** The look (`logic/ansi`) at its beginning. */
  look: number
}

/** How an output stands. */
export interface Standing {
  lines: number
  /** Bytes that were read. */
  read: number
  /** Bytes there are, as far as is known. */
  size: number
  ended: boolean
  truncated: boolean
  /** Everything there is was read. */
  complete: boolean
  error?: unknown
  /** One more each time the output began anew: a step that is tried again prints from the start. */
  began: number
}

/** The sizes a store works with. */
export interface Sizes {
  /** Bytes of a block: what is asked for at once. */
  block: number
  /** Blocks kept decoded. */
  kept: number
  /** Characters of a line that are shown. */
  line: number
}

export const SIZES: Sizes = { block: 1 << 20, kept: 12, line: 4_000 }

/** An output of which nothing is known yet. */
export function fresh(began: number): Standing {
  return { lines: 0, read: 0, size: 0, ended: false, truncated: false, complete: false, began }
}
