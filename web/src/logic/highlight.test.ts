import { expect, test } from 'vitest'
import { tokens } from './ansi'
import { highlight } from './highlight'
import { pattern } from './outputSearch'

const told = (line: string, wanted: string) =>
  highlight(tokens(line).tokens, pattern(wanted)).map(
    ({ text, hit }) => (hit === undefined ? text : `[${hit}:${text}]`),
  ).join('')

test.each([
  ['plain', 'an error here', 'error', 'an [0:error] here'],
  ['twice', 'xx', 'x', '[0:x][1:x]'],
  ['over two colours', 'er\u001b[31mror!', 'error', '[0:er][0:ror]!'],
  ['beside a control', 'a\u0007b', 'ab', '[0:a]⟨BEL⟩[0:b]'],
  ['nothing', 'abc', 'x', 'abc'],
  ['all of it', 'abc', 'abc', '[0:abc]'],
  ['at both ends', 'abxab', 'ab', '[0:ab]x[1:ab]'],
])('%s', (_, line, wanted, expected) => {
  expect(told(line, wanted)).toBe(expected)
})

test('without anything to find the tokens are as they were', () => {
  const all = tokens('a\u001b[31mb').tokens
  expect(highlight(all, undefined)).toEqual(all)
})
