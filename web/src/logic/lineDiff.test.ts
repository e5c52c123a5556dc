import { expect, test } from 'vitest'
import { folded, lineDiff, sideBySide, type DiffLine } from './lineDiff'

const SIGN = { same: ' ', gone: '-', come: '+' }
const shown = (lines: DiffLine[]) => lines.map((line) => SIGN[line.kind] + line.text).join('|')

test.each([
  ['', '', ''],
  ['a', 'a\n', ' a'],
  ['a\nb\nc', 'a\nc', ' a|-b| c'],
  ['a\nc', 'a\nb\nc', ' a|+b| c'],
  ['a\nb', 'a\nx', ' a|-b|+x'],
  ['', 'a\nb', '+a|+b'],
  ['a\nb', '', '-a|-b'],
  ['a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc', '-a|-b| c|+b| a| b|-b| a|+c'],
  ['a\r\nb\r\n', 'a\nb\n', ' a| b'],
  ['one\n\ntwo', 'one\ntwo', ' one|-| two'],
])('%j to %j', (before, after, expected) => {
  expect(shown(lineDiff(before, after).lines)).toBe(expected)
})

/** The number of lines in the longest common subsequence, the slow way. */
function common(a: string[], b: string[]): number {
  const table = a.map(() => b.map(() => 0))
  for (const [i, one] of a.entries()) {
    for (const [j, other] of b.entries()) {
      const row = table[i]
      if (!row) continue
      row[j] = one === other
        ? (table[i - 1]?.[j - 1] ?? 0) + 1
        : Math.max(table[i - 1]?.[j] ?? 0, row[j - 1] ?? 0)
    }
  }
  return table.at(-1)?.at(-1) ?? 0
}

test('the difference leads from one text to the other, and none is shorter', () => {
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let round = 0; round < 300; round += 1) {
    const [a, b] = [0, 1].map(() => Array.from({ length: random(14) }, () => 'abc'[random(3)] ?? 'a'))
    if (!a || !b) throw new Error('two texts')
    const { lines, exact, gone, come } = lineDiff(a.join('\n'), b.join('\n'))
    expect(exact).toBe(true)
    expect(lines.filter((line) => line.kind !== 'come').map((line) => line.text)).toEqual(a)
    expect(lines.filter((line) => line.kind !== 'gone').map((line) => line.text)).toEqual(b)
    expect(gone).toBe(a.length - common(a, b))
    expect(come).toBe(b.length - common(a, b))
  }
})

test('lines carry their numbers in both texts', () => {
  expect(lineDiff('a\nb\nc', 'a\nx\ny\nc').lines.map(({ before, after }) => [before, after])).toEqual([
    [1, 1], [2, undefined], [undefined, 2], [undefined, 3], [3, 4],
  ])
})

test('too many differences: the middle counts as replaced, what is the same around it does not', () => {
  const { lines, exact } = lineDiff('head\na\nk\nb\ntail', 'head\nc\nk\nd\ntail', 2)
  expect(exact).toBe(false)
  expect(shown(lines)).toBe(' head|-a|-k|-b|+c|+k|+d| tail')
})

test('large texts are compared in time', () => {
  const long = Array.from({ length: 8_000 }, (_, at) => `line ${at}`)
  const other = long.map((line, at) => (at % 100 === 0 ? `${line} changed` : line))
  const started = performance.now()
  expect(lineDiff(long.join('\n'), other.join('\n')).gone).toBe(80)
  expect(lineDiff(long.join('\n'), long.map((line) => `${line}!`).join('\n')).exact).toBe(false)
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('two columns set what is gone beside what has come', () => {
  const rows = sideBySide(lineDiff('a\nb\nc\nd', 'a\nx\nd').lines)
  expect(rows.map(({ left, right }) => [left?.text, right?.text])).toEqual([
    ['a', 'a'], ['b', 'x'], ['c', undefined], ['d', 'd'],
  ])
})

test('unchanged lines far from a change are folded, a single one is not', () => {
  const lines = (text: string) => lineDiff(text.replaceAll('+', ''), text.replaceAll('+', '!')).lines
  const pieces = folded(lines('1\n2\n3\n+4\n5\n6\n7\n+8'), 1)
  const shown = pieces.map((piece) => [piece.folded, piece.lines.length])
  expect(shown).toEqual([[true, 2], [false, 4], [false, 1], [false, 3]])
  expect(folded(lines('1\n2'), 1)).toEqual([expect.objectContaining({ folded: true })])
  expect(folded([])).toEqual([])
})
