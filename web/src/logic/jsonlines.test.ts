import { expect, test } from 'vitest'
import { readLines } from './jsonlines'

function stream(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(out) {
      for (const piece of pieces) out.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
      out.close()
    },
  })
}

test('lines are put together across pieces', async () => {
  const umlaut = new TextEncoder().encode('{"n":"ä"}\n')
  const read = await readLines(stream('{"n":1}\n{"n"', ':2}\n', umlaut.slice(0, 7), umlaut.slice(7)), 10)
  expect(read).toEqual({ items: [{ n: 1 }, { n: 2 }, { n: 'ä' }], more: false })
})

test('an empty list is a list', async () => {
  expect(await readLines(stream(), 10)).toEqual({ items: [], more: false })
})

test('what is beyond the wanted is said and not read', async () => {
  expect(await readLines(stream('1\n2\n3\n'), 2)).toEqual({ items: [1, 2], more: true })
  expect(await readLines(stream('1\n2\n'), 2)).toEqual({ items: [1, 2], more: false })
})

test('a list that breaks off is refused', async () => {
  await expect(readLines(stream('{"n":1}\n{"n":'), 10)).rejects.toThrow('broke off')
})
