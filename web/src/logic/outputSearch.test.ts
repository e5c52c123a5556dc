import { expect, test } from 'vitest'
import type { Part } from './outputParts'
import { OutputSearch, pattern, placeFrom, type Found } from './outputSearch'
import { OutputStore } from './outputStore'

const settled = async () => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((wake) => setTimeout(wake, 0))
}

function storeOf(text: () => string, ended: () => boolean, block = 16) {
  const read = (from: number, most: number): Promise<Part> => {
    const all = text()
    const next = Math.min(all.length, from + most)
    return Promise.resolve(
      { text: all.slice(from, next), from, next, size: all.length, ended: ended(), truncated: false },
    )
  }
  const store = new OutputStore(read, { block, kept: 3, line: 100 })
  store.open()
  store.want(Infinity)
  return store
}

async function found(text: string, wanted: string, block = 16): Promise<Found | undefined> {
  const store = storeOf(() => text, () => true, block)
  await settled()
  let last: Found | undefined
  await new OutputSearch(store, wanted, (now) => (last = now)).go()
  return last
}

test.each([
  ['in either case', 'Error\nerror\nfine', 'ERROR', [0, 1]],
  ['twice in a line', 'aXbX\nX', 'x', [0, 0, 1]],
  ['across blocks', '0123456789ab needle here\nand needle', 'needle', [0, 1]],
  ['cut at every place', `${'x'.repeat(13)}needle${'y'.repeat(7)}needle`, 'needle', [0, 0]],
  ['with colours in it', 'er\u001b[31mror\nok', 'error', [0]],
  ['signs of patterns', 'a.b\naxb\n(x)', 'a.b', [0]],
  ['nothing', 'a\nb', 'c', []],
  ['overlapping only once', 'aaaa', 'aa', [0, 0]],
  ['on late lines', `${'\n'.repeat(40)}hit`, 'hit', [40]],
])('finds %s', async (_, text, wanted, lines) => {
  const now = await found(text, wanted)
  expect(now?.lines).toEqual(lines)
  expect(now?.count).toBe(lines.length)
  expect(now?.done).toBe(true)
})

test('whatever the blocks, the same is found', async () => {
  const text = Array.from({ length: 60 }, (_, n) => (n % 7 === 0 ? `line ${n} has it` : `line ${n}`)).join('\n')
  const expected = (await found(text, 'has it', 100_000))?.lines
  expect(expected).toHaveLength(9)
  for (const block of [7, 16, 33, 64]) expect((await found(text, 'has it', block))?.lines, `${block}`).toEqual(expected)
})

test('what comes later is searched then, and nothing is counted twice', async () => {
  let [text, ended] = ['a hit\nno', false]
  const store = storeOf(() => text, () => ended, 32)
  await settled()
  let last: Found | undefined
  const search = new OutputSearch(store, 'hit', (now) => (last = now))
  await search.go()
  await search.go()
  expect(last?.count).toBe(1)
  text += 'w a hi'
  store.poke()
  await settled()
  await search.go()
  expect(last?.count).toBe(1)
  text += 't again\nand a hit beyond the first block, which is full by now\n'
  ended = true
  store.poke()
  await settled()
  await search.go()
  expect(last?.lines).toEqual([0, 1, 2])
})

test('a pattern finds its own text whatever is in it', () => {
  for (const text of ['a+b', '[x]', '\\d', '^$', '{2}', '/*', 'a|b', '?', '-', 'é', '😀']) {
    expect(text.match(pattern(text)), text).toEqual([text])
  }
})

test.each([[[], 3, 0], [[1, 5, 9], 0, 0], [[1, 5, 9], 5, 1], [[1, 5, 9], 6, 2], [[1, 5, 9], 10, 0]])(
  'from %j the first at or after %i is number %i', (lines, line, place) => {
    expect(placeFrom(lines, line)).toBe(place)
  },
)
