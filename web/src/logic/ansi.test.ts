import { expect, test } from 'vitest'
import { looks, lookAcross, plain, tokens } from './ansi'
import { lineStarts } from './lineIndex'
import { PLAIN, shown } from './sgr'

const E = '\u001b'

/** What of a line can be read, and what is shown in the place of the rest. */
const told = (line: string, codes = false) =>
  tokens(line, PLAIN, codes).tokens.map(({ text, control }) => (control === undefined ? text : `<${text}>`)).join('')

test.each([
  ['nothing special', 'plain text', 'plain text'],
  ['a tab stays', 'a\tb', 'a\tb'],
  ['colours are followed and gone', `${E}[31mred${E}[0m`, 'red'],
  ['a bell is shown', 'a\u0007b', 'a<⟨BEL⟩>b'],
  ['a carriage return overwrites nothing', 'rm -rf /\rls', 'rm -rf /<⟨CR⟩>ls'],
  ['backspaces take nothing away', 'sudo\b\b\b\bls', 'sudo<⟨BS⟩><⟨BS⟩><⟨BS⟩><⟨BS⟩>ls'],
  ['cursor moves are gone, the text stays', `evil${E}[4Dgood`, 'evilgood'],
  ['erasing erases nothing', `secret${E}[2K${E}[1A${E}[Jshown`, 'secretshown'],
  ['the screen is not cleared', `${E}c${E}[2J${E}[Hstill here`, 'still here'],
  ['the alternate screen is not entered', `${E}[?1049hhidden?`, 'hidden?'],
  ['a title is not set', `${E}]0;you are root\u0007$`, '<⟨ESC…⟩>$'],
  ['a title ended by ST', `${E}]2;x${E}\\$`, '<⟨ESC…⟩>$'],
  ['a link is no link', `${E}]8;;https://evil.example${E}\\click${E}]8;;${E}\\`, '<⟨ESC…⟩>click<⟨ESC…⟩>'],
  ['the clipboard is not written', `${E}]52;c;cm0gLXJm\u0007x`, '<⟨ESC…⟩>x'],
  ['a device control string', `${E}P+q544e${E}\\x`, '<⟨ESC…⟩>x'],
  ['an application command', `${E}_G payload${E}\\x`, '<⟨ESC…⟩>x'],
  ['a string without an end swallows nothing', `${E}]0;all of this is text`, '<⟨ESC⟩>]0;all of this is text'],
  ['a string that is broken off', `${E}]0;a${E}[31mb\u0007`, '<⟨ESC⟩>]0;ab<⟨BEL⟩>'],
  ['a bell does not end a device control string', `${E}Pabc\u0007def`, '<⟨ESC⟩>Pabc<⟨BEL⟩>def'],
  ['half a sequence at the end', `x${E}[12`, 'x<⟨ESC⟩>[12'],
  ['an escape alone', `x${E}`, 'x<⟨ESC⟩>'],
  ['a sequence with a letter of another script', `${E}[1яx`, '<⟨ESC⟩>[1яx'],
  ['charsets are not switched', `${E}(0lqk${E}(B`, 'lqk'],
  ['turned direction', 'a\u202egpj.exe', 'a<⟨U+202E⟩>gpj.exe'],
  ['isolates', '\u2066x\u2069', '<⟨U+2066⟩>x<⟨U+2069⟩>'],
  ['spaces of no width', 'ad\u200bmin', 'ad<⟨U+200B⟩>min'],
  ['C1 controls are shown and introduce nothing', '\u009b31mred', '<⟨U+009B⟩>31mred'],
  ['a line separator', 'a\u2028b', 'a<⟨U+2028⟩>b'],
  ['delete', 'a\u007fb', 'a<⟨DEL⟩>b'],
])('%s', (_, line, expected) => {
  expect(told(line)).toBe(expected)
})

test('with control codes every sequence is shown as it was sent', () => {
  expect(told(`a${E}[2Kb${E}]0;t\u0007c${E}[31md`, true)).toBe('a<⟨ESC⟩[2K>b<⟨ESC⟩]0;t⟨BEL⟩>cd')
})

test('a string longer than anybody sends is text', () => {
  const line = `${E}]0;${'x'.repeat(10_000)}\u0007`
  expect(told(line).length).toBeGreaterThan(10_000)
})

const look = (line: string) => {
  const { tokens: all } = tokens(`${line}x`)
  return shown(all.at(-1)?.look ?? -1)
}

test.each([
  ['31', { colour: 'red' }],
  ['92', { colour: 'green' }],
  ['1;34', { colour: 'blue', bold: true }],
  ['38;5;196', { colour: 'red' }],
  ['38;5;244', { colour: undefined }],
  ['38;2;0;200;200', { colour: 'cyan' }],
  ['38:2::250:5:250', { colour: 'magenta' }],
  ['38:5:226', { colour: 'yellow' }],
  ['48;5;46', { ground: 'green' }],
  ['31;44', { colour: undefined, ground: 'blue' }],
  ['31;7', { colour: undefined, ground: 'red' }],
  ['7', { ground: 'grey' }],
  ['30', { colour: undefined }],
  ['37;47', { colour: undefined, ground: undefined }],
  ['8', { colour: undefined }],
  ['4:0', { underline: false }],
  ['4:3', { underline: true }],
  ['58;5;1;3', { italic: true, underline: false, colour: undefined }],
  ['38;5', { colour: undefined }],
  ['', { bold: false }],
])('SGR %s', (params, expected) => {
  expect(look(`${E}[${params}m`)).toMatchObject(expected)
})

test.each(['0', '', '39;22', '22;39'])('SGR %s takes red and bold away', (params) => {
  expect(look(`${E}[1;31m${E}[${params}m`)).toMatchObject({ colour: undefined, bold: false })
})

test('a private sequence that ends in m is no colour', () => {
  expect(look(`${E}[>4;31m`)).toMatchObject({ colour: undefined })
})

test('what is read is what the tokens show, without what is no text', () => {
  const lines = [
    `${E}[31mred${E}[0m and`, 'a\rb\u0007', `${E}]8;;x${E}\\link${E}]8;;${E}\\`, 'zero\u200bwidth', `${E}]never ended`,
  ]
  const text = lines.join('\n')
  const read = lines.map((line) =>
    tokens(line).tokens.filter((token) => token.control === undefined).map((token) => token.text).join(''))
  expect(plain(text)).toBe(read.join('\n'))
  expect(plain(text).split('\n').length).toBe(lines.length)
})

test('a string cannot hide the line after it', () => {
  expect(plain(`${E}]0;x\nrm -rf /\n\u0007`)).toContain('rm -rf /')
})

test('the look at the start of each line is that of the line before', () => {
  const text = `a${E}[31mb\nc\nd${E}[0m\ne`
  const starts = lineStarts(text)
  const found = looks(text, starts, PLAIN)
  expect([...(found.lines ?? [])].map((one) => shown(one).colour)).toEqual(['red', 'red', undefined])
  expect(found.end).toBe(PLAIN)
})

test('a text without escapes and a plain beginning needs no looks', () => {
  expect(looks('a\nb', lineStarts('a\nb'), PLAIN)).toEqual({ end: PLAIN })
})

test('a colour that is cut between two parts is put together', () => {
  const red = tokens(`${E}[31m`).look
  for (let cut = 1; cut < 5; cut += 1) {
    const whole = `${E}[31m`
    expect(lookAcross(`a\n${whole.slice(0, cut)}`, `${whole.slice(cut)}b`, PLAIN), `${cut}`).toBe(red)
  }
  expect(lookAcross('no escape', '31m', PLAIN)).toBe(PLAIN)
  expect(lookAcross(`${E}[31m`, 'x', PLAIN)).toBe(PLAIN)
})
