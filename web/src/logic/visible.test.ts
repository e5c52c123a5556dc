import { expect, test } from 'vitest'
import { shown, visible } from './visible'

test('what nobody would see is shown by its code point', () => {
  expect(visible('invoice\u202egnp.exe')).toEqual([
    { text: 'invoice' },
    { text: '⟨U+202E⟩', hidden: 'U+202E' },
    { text: 'gnp.exe' },
  ])
})

test.each([
  '\u0000', '\u001b', '\u200b', '\u2066', '\ufeff', '\u00ad', '\u{e0041}', '\u0085', '\r',
  // Selectors of variants, joiners of graphemes, fillers, blank cells, vowels that are not drawn, notes of music.
  '\ufe00', '\ufe0f', '\u{e0100}', '\u034f', '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\u17b4', '\u17b5',
  '\u{1d173}', '\u2028',
  // Spaces that are none to a shell.
  '\u00a0', '\u1680', '\u2000', '\u2007', '\u200a', '\u202f', '\u205f', '\u3000',
])('%j is hidden', (character) => {
  const pieces = visible(`a${character}b`)
  expect(pieces.map((piece) => piece.hidden === undefined)).toEqual([true, false, true])
  expect(pieces.map((piece) => piece.text).join('')).not.toContain(character)
})

test('ordinary text of any script stays whole', () => {
  for (const text of ['', 'tabs\tand\nlines', 'Grüße, 世界, שלום, 🙂', '<script>', 'a b']) {
    expect(visible(text).map((piece) => piece.text).join('')).toBe(text)
    expect(visible(text).some((piece) => piece.hidden)).toBe(false)
  }
})

test('a sign made an emoji stays one', () => {
  for (const text of ['I ❤️ it', '⚠️ disk full', 'step 1️⃣, #️⃣', '🇩🇪', '👍🏽']) expect(shown(text)).toBe(text)
})

test.each([
  ['👩\u200d🚀', '👩⟨U+200D⟩🚀'],
  ['❤\ufe0f\ufe0f', '❤\ufe0f⟨U+FE0F⟩'],
  ['1\ufe0f', '1⟨U+FE0F⟩'],
  ['❤\ufe0e', '❤⟨U+FE0E⟩'],
  ['rm\u00a0-rf', 'rm⟨U+00A0⟩-rf'],
  ['', ''],
])('%j is shown as %s', (text, expected) => {
  expect(shown(text)).toBe(expected)
})
