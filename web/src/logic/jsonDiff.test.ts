import { expect, test } from 'vitest'
import { canonical, countMarks, diffJson, foldLines, isShort, prettyLines, type JsonLine } from './jsonDiff'

const sign = { same: ' ', changed: '~', gone: '-', come: '+' }
const shown = (lines: JsonLine[]) => lines.map((line) => `${sign[line.mark]} ${line.left ?? ''} | ${line.right ?? ''}`)

test('members are in the order of their names, whatever order they came in', () => {
  expect(prettyLines({ b: 1, a: [true, null] }))
    .toEqual(['{', '  "a": [', '    true,', '    null', '  ],', '  "b": 1', '}'])
  expect(canonical({ b: 1, a: 2 })).toBe(canonical({ a: 2, b: 1 }))
})

test.each([
  [1, true], ['text', true], [null, true], [[], true], [{}, true], [{ sealed: 'abcdef0123' }, true],
  [[1], false], [{ a: 1 }, false],
])('%j is short: %s', (value, short) => expect(isShort(value)).toBe(short))

test('what is the same differs nowhere', () => {
  const value = { a: { b: [1, { c: 'x' }] }, d: null }
  expect(diffJson(value, structuredClone(value)).every((line) => line.mark === 'same')).toBe(true)
})

test('a member that changed is one line, and its neighbours are the same', () => {
  expect(shown(diffJson({ port: 22, open: true }, { port: 443, open: true }))).toEqual([
    '  { | {', '    "open": true, |   "open": true,', '~   "port": 22 |   "port": 443', '  } | }',
  ])
})

test('a comma alone is no difference', () => {
  expect(shown(diffJson({ a: 1 }, { a: 1, b: 2 }))).toEqual([
    '  { | {', '    "a": 1 |   "a": 1,', '+  |   "b": 2', '  } | }',
  ])
})

test('an element put in between moves nothing else', () => {
  const marks = diffJson(['a', 'b', 'c'], ['a', 'x', 'b', 'c']).map((line) => line.mark)
  expect(marks).toEqual(['same', 'same', 'come', 'same', 'same', 'same'])
})

test('elements that differ are paired by their place and looked into', () => {
  const left = [{ id: 1, port: 22 }, { id: 2, port: 80 }]
  const right = [{ id: 1, port: 23 }, { id: 2, port: 80 }]
  expect(shown(diffJson(left, right)).filter((line) => !line.startsWith(' ')))
    .toEqual(['~     "port": 22 |     "port": 23'])
})

test('another kind of value is another value', () => {
  expect(shown(diffJson({ a: [1] }, { a: 'x' }))).toEqual([
    '  { | {', '~   "a": [ |   "a": "x"', '-     1 | ', '-   ] | ', '  } | }',
  ])
  expect(diffJson(1, '1').map((line) => line.mark)).toEqual(['changed'])
  expect(diffJson({}, { a: 1 }).map((line) => line.mark)).toEqual(['changed', 'come', 'come'])
})

test('a side that has nothing at all is nothing, not null', () => {
  expect(diffJson(null, { a: 1 })[0]).toEqual({ mark: 'changed', left: 'null', right: '{' })
})

test('secrets are words, and differ by their digests', () => {
  const [line] = diffJson({ sealed: 'aaaaaaaaaaaa' }, { sealed: 'bbbbbbbbbbbb' })
  expect(line).toEqual({ mark: 'changed', left: '⟨secret, digest aaaaaaaa…⟩', right: '⟨secret, digest bbbbbbbb…⟩' })
  expect(prettyLines({ password: { sealed: true }, ip: { unknown: true } })).toEqual([
    '{', '  "ip": ⟨known once it is applied⟩,', '  "password": ⟨secret⟩', '}',
  ])
})

test('texts with line ends stay one line', () => {
  expect(prettyLines('a\nb')).toEqual(['"a\\nb"'])
})

test('what is far from a difference is left out, one line alone is not', () => {
  const value = (last: number) =>
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${10 + n}`, n === 19 ? last : n]))
  const folded = foldLines(diffJson(value(19), value(20)), 2)
  expect(folded[0]).toEqual({ hidden: 18 })
  expect(folded).toHaveLength(1 + 2 + 1 + 1)
  const near = foldLines(diffJson({ a: 1, b: 2, c: 3 }, { a: 1, b: 2, c: 4 }), 2)
  expect(near.some((line) => 'hidden' in line)).toBe(false)
})

test('nothing is lost or made up by folding', () => {
  const lines = diffJson({ a: 1, b: [1, 2, 3], c: { d: 4, e: 5, f: 6 } }, { a: 1, b: [1, 3], c: { d: 4, e: 6, f: 6 } })
  const count = foldLines(lines, 1).reduce((sum, line) => sum + ('hidden' in line ? line.hidden : 1), 0)
  expect(count).toBe(lines.length)
})

test('both sides can be read back from the lines', () => {
  const [left, right] = [{ a: [1, 2, { x: 'y' }], b: {} }, { a: [2, { x: 'z' }, 5], c: [[]] }]
  const lines = diffJson(left, right)
  const side = (of: 'left' | 'right') => JSON.parse(lines.map((line) => line[of] ?? '').join('\n')) as unknown
  expect(side('left')).toEqual(left)
  expect(side('right')).toEqual(right)
})

test('long lists are compared place by place, and deep values end', () => {
  const long = Array.from({ length: 300 }, (_, n) => n)
  expect(countMarks(diffJson(long, [...long.slice(1), 1])).changed).toBeGreaterThan(0)
  let deep: unknown = 1
  for (let n = 0; n < 500; n += 1) deep = [deep]
  expect(diffJson(deep, deep).every((line) => line.mark === 'same')).toBe(true)
})
