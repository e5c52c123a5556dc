import { expect, test } from 'vitest'
import type { Part, Read } from './outputParts'
import { outputName, whole } from './outputWhole'

const STOP = new AbortController().signal

/** Gives one part of `texts[attempt]` a character at a time; the last attempt grows by one with each look. */
function server(texts: Record<number, string>, rest: Partial<Part> = {}): Read {
  let looks = 0
  return async (from, _most, _signal, attempt) => {
    looks += 1
    const last = looks > 1 ? Math.max(...Object.keys(texts).map(Number)) : 1
    const of = attempt ?? last
    const text = texts[of] ?? ''
    return {
      text: text.slice(from, from + 1), from, next: Math.min(from + 1, text.length), size: text.length,
      ended: true, truncated: false, attempt: of, ...rest,
    }
  }
}

const said = async (parts: Blob[]) => new Blob(parts).text()

test('a download is of one attempt, though the step is tried again meanwhile', async () => {
  const found = await whole(server({ 1: 'first', 2: 'SECOND' }), STOP, () => {})
  expect(await said(found.parts)).toBe('first')
  expect(found).toMatchObject({ attempt: 1, growing: false, cut: false })
})

test('parts of another attempt than was asked for are not put together', async () => {
  const given = server({ 1: 'first', 2: 'SECOND' })
  const deaf: Read = (from, most, signal) => given(from, most, signal)
  await expect(whole(deaf, STOP, () => {})).rejects.toThrow('attempt 1')
})

test('what grows and what was cut is said', async () => {
  expect(await whole(server({ 1: 'x' }, { ended: false, truncated: true }), STOP, () => {}))
    .toMatchObject({ growing: true, cut: true })
})

test.each([
  [{ attempt: 1, growing: false, cut: false }, 'restart-web-1-stdout.log'],
  [{ attempt: 2, growing: true, cut: false }, 'restart-web-1-stdout-attempt-2-so-far.log'],
  [{ attempt: undefined, growing: false, cut: true }, 'restart-web-1-stdout-cut.log'],
])('%j is called %s', (of, name) => {
  expect(outputName('restart', 'web-1', 'stdout', { parts: [], ...of })).toBe(name)
})
