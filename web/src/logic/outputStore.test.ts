import { expect, test } from 'vitest'
import { shown as unpacked } from './sgr'
import type { Part } from './outputParts'
import { OutputStore } from './outputStore'

/** A server with an output that may grow; it cuts at characters, as the API does. */
function server(initial: string) {
  const state = { bytes: new TextEncoder().encode(initial), ended: true, asked: [] as [number, number][], fails: 0 }
  const read = (from: number, most: number): Promise<Part> => {
    state.asked.push([from, most])
    if (state.fails > 0) {
      state.fails -= 1
      return Promise.reject(new Error('away'))
    }
    let next = Math.min(state.bytes.length, from + most)
    while (next < state.bytes.length && ((state.bytes[next] ?? 0) & 0xc0) === 0x80) next -= 1
    const text = new TextDecoder().decode(state.bytes.subarray(from, next))
    const part = {
      text, from: Math.min(from, state.bytes.length), next: Math.max(next, Math.min(from, state.bytes.length)),
    }
    return Promise.resolve({ ...part, size: state.bytes.length, ended: state.ended, truncated: false })
  }
  return { state, read }
}

const settled = async () => {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}

/** Waits until a line is there: first its block is fetched, then those it goes on in. */
async function shown(store: OutputStore, line: number) {
  for (let round = 0; round < 3 && store.line(line) === undefined; round += 1) await settled()
}

async function lines(store: OutputStore): Promise<string[]> {
  const all: string[] = []
  for (let number = 0; number < store.now().lines; number += 1) {
    await shown(store, number)
    all.push(store.line(number)?.text ?? '<missing>')
  }
  return all
}

const opened = async (read: ReturnType<typeof server>['read'], sizes = { block: 16, kept: 3, line: 100 }) => {
  const store = new OutputStore(read, sizes)
  store.open()
  store.want(Infinity)
  await settled()
  return store
}

test.each([
  ['nothing', ''],
  ['one line', 'one'],
  ['a last line break', 'one\ntwo\n'],
  ['empty lines', '\n\n\nx\n\n'],
  ['lines over several blocks', 'abcdefghijklmnopqrstuvwxyz\n0123456789\nlast'],
  ['a line break at the very end of a block', 'abcdefghijklmno\nabcdefghijklmno\nx'],
  ['characters of several bytes', 'äöüäöüäöüäöü\n€€€€€€€€\n😀😀😀😀😀😀\nend'],
  ['many lines', Array.from({ length: 300 }, (_, n) => `line ${n}`).join('\n')],
  ['one line over many blocks and more', `${'x'.repeat(90)}\ny`],
])('the lines of %s are those of the text', async (_, text) => {
  const store = await opened(server(text).read, { block: 16, kept: 8, line: 100 })
  const expected = text.split('\n')
  if (expected.at(-1) === '') expected.pop()
  expect(store.now().complete).toBe(true)
  expect(await lines(store)).toEqual(expected)
})

test('no more blocks are kept than there may be, and those let go are fetched again', async () => {
  const text = Array.from({ length: 100 }, (_, n) => `line ${n}`).join('\n')
  const { state, read } = server(text)
  const store = await opened(read)
  const before = state.asked.length
  expect(store.line(0)).toBeUndefined()
  await settled()
  expect(store.line(0)?.text).toBe('line 0')
  expect(state.asked.length).toBe(before + 1)
  const kept = (store as unknown as { kept: Map<number, unknown> }).kept
  for (let number = 0; number < 100; number += 1) {
    store.line(number)
    await settled()
    expect(kept.size).toBeLessThanOrEqual(4)
  }
})

test('only what is wanted is read', async () => {
  const { state, read } = server('x\n'.repeat(1_000))
  const store = new OutputStore(read, { block: 16, kept: 3, line: 100 })
  store.open()
  await settled()
  expect(store.now().read).toBe(16)
  expect(store.now().size).toBe(2_000)
  store.want(100)
  await settled()
  expect(store.now().read).toBe(112)
  expect(state.asked.length).toBe(7)
})

test('small pieces of a growing output become one block', async () => {
  const { state, read } = server('')
  state.ended = false
  const store = await opened(read, { block: 64, kept: 3, line: 100 })
  for (const piece of ['first', ' line\nsec', 'ond\n', 'third']) {
    state.bytes = new Uint8Array([...state.bytes, ...new TextEncoder().encode(piece)])
    store.poke()
    await settled()
  }
  expect(store.blocks).toBe(1)
  expect(await lines(store)).toEqual(['first line', 'second', 'third'])
  expect(store.now().ended).toBe(false)
  state.ended = true
  store.poke()
  await settled()
  expect(store.now().complete).toBe(true)
})

test('an output that began anew is read anew', async () => {
  const { state, read } = server('a long first attempt\nwith lines\n')
  state.ended = false
  const store = await opened(read)
  state.bytes = new TextEncoder().encode('second\n')
  store.poke()
  await settled()
  expect(await lines(store)).toEqual(['second'])
  expect(store.now().began).toBe(1)
})

test('another attempt is another output, however long it is', async () => {
  const { state, read } = server('first\n')
  state.ended = false
  let attempt = 1
  const store = await opened(async (from, most) => ({ ...(await read(from, most)), attempt }))
  attempt = 2
  state.bytes = new TextEncoder().encode('the second attempt\nprints more\n')
  store.poke()
  await settled()
  expect(await lines(store)).toEqual(['the second attempt', 'prints more'])
})

test('a line that is too long is cut and says how long it is', async () => {
  const store = await opened(server(`${'x'.repeat(250)}\nshort`).read, { block: 16, kept: 9, line: 100 })
  await shown(store, 0)
  expect(store.line(0)).toMatchObject({ text: 'x'.repeat(100), chars: 250 })
  expect(store.line(1)).toMatchObject({ text: 'short', chars: 5 })
})

test('a cut does not go through a character', async () => {
  const store = await opened(server(`x${'😀'.repeat(40)}`).read, { block: 16, kept: 20, line: 10 })
  expect(store.line(0)?.text).toBe(`x${'😀'.repeat(4)}`)
})

test('a carriage return before a line break is a part of the break', async () => {
  const store = await opened(server('dos\r\nover\rwritten\r\nopen\r').read, { block: 64, kept: 3, line: 100 })
  expect(await lines(store)).toEqual(['dos', 'over\rwritten', 'open\r'])
})

test('a colour goes on over lines and blocks', async () => {
  const store = await opened(
    server(`a\u001b[31m${'x'.repeat(20)}\nstill red\n\u001b[0m\nplain`).read, { block: 16, kept: 9, line: 100 },
  )
  const colour = (line: number) => unpacked(store.line(line)?.look ?? 0).colour
  expect([colour(0), colour(1), colour(3)]).toEqual([undefined, 'red', undefined])
})

test('what fails is told, and tried again when it is poked and not before', async () => {
  const { state, read } = server('text')
  state.fails = 1
  const store = await opened(read)
  expect(store.now().error).toBeInstanceOf(Error)
  store.want(Infinity)
  await settled()
  expect(state.asked.length).toBe(1)
  store.poke()
  await settled()
  expect(store.now().error).toBeUndefined()
  expect(await lines(store)).toEqual(['text'])
})

test('half a character at the end is waited for, and not asked for without end', async () => {
  const { state, read } = server('ab')
  state.ended = false
  const store = await opened(read)
  const asked = state.asked.length
  const half = new Uint8Array([...state.bytes, 0xe2, 0x82])
  state.bytes = half
  const cut = (from: number, most: number): Promise<Part> =>
    read(from, most).then((part) => (from === 2 && state.bytes === half ? { ...part, text: '', next: 2 } : part))
  ;(store as unknown as { read: typeof cut }).read = cut
  store.poke()
  await settled()
  expect(state.asked.length).toBe(asked + 1)
  state.bytes = new Uint8Array([...half, 0xac])
  store.poke()
  await settled()
  expect(await lines(store)).toEqual(['ab€'])
})
