/** A piece of text; with `hidden`, a character nobody would see, by its code point. */
export interface Piece {
  text: string
  hidden?: string
}

// Controls but newline and tab, every space but the space, the blank Braille cell, marks of annotations, and whatever
// Unicode says may be drawn as nothing: marks of direction, joiners, fillers, selectors of variants, tags. What stays
// is the one selector that makes a sign an emoji, where it does: `❤️`, `1️⃣`. Emoji joined of others show their
// joiners: text from outside has no need of them, and a chain of them can hold anything.
const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u2800\\u3000' +
  '\\ufff9-\\ufffb\\p{Default_Ignorable_Code_Point}]' +
  '(?<!\\p{Extended_Pictographic}\\ufe0f|[0-9#*]\\ufe0f(?=\\u20e3))',
  'gu',
)

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

/** A text from outside for where nothing but text can stand: what hides in it is written out. */
export const shown = (text: string) => visible(text).map((piece) => piece.text).join('')
