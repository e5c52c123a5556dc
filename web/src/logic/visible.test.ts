import { expect, test } from 'vitest'
import { visible } from './visible'

test('what nobody would see is shown by its code point', () => {
  expect(visible('invoice\u202egnp.exe')).toEqual([
    { text: 'invoice' },
    { text: '⟨U+202E⟩', hidden: 'U+202E' },
    { text: 'gnp.exe' },
  ])
})

test.each(['\u0000', '\u001b', '\u200b', '\u2066', '\ufeff', '\u00ad', '\u{e0041}', '\u0085', '\r'])('%j is hidden', (character) => {
  const pieces = visible(`a${character}b`)
  expect(pieces.map((piece) => piece.hidden === undefined)).toEqual([true, false, true])
  expect(pieces.map((piece) => piece.text).join('')).not.toContain(character)
})

test('ordinary text of any script stays whole', () => {
  for (const text of ['', 'tabs\tand\nlines', 'Grüße, 世界, שלום, 🙂', '<script>']) {
    expect(visible(text).map((piece) => piece.text).join('')).toBe(text)
    expect(visible(text).some((piece) => piece.hidden)).toBe(false)
  }
})
