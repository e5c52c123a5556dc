/** A piece of text; with `hidden`, a character nobody would see, by its code point. */
export interface Piece {
  text: string
  hidden?: string
}

// Controls but newline and tab, marks of direction, joiners and spaces of no width, tags, byte order marks.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** Cuts a text where characters hide, so that they can be shown: `a\u202eb` → `a`, `⟨U+202E⟩`, `b`. */
export function visible(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index) })
    const point = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    pieces.push({ text: `⟨U+${point}⟩`, hidden: `U+${point}` })
    from = found.index + found[0].length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}
