import { expect, test } from 'vitest'
import { base64, utf8 } from './bytes'
import { parseHashes, parseProof } from './tlogProof'

const HASH = base64(new Uint8Array(32).fill(7))
const NOTE = `log\n6\n${HASH}\n\n\u2014 log AAAAAAAA\n`
const FILE = `c2sp.org/tlog-proof@v1\nextra ${base64(utf8('{"v":1}'))}\nindex 5\n${HASH}\n${HASH}\n\n${NOTE}`

test('a proof file is read', () => {
  const proof = parseProof(FILE)
  if (typeof proof === 'string') throw new Error(proof)
  expect(new TextDecoder().decode(proof.event)).toBe('{"v":1}')
  expect(proof.index).toBe(5)
  expect(proof.hashes).toHaveLength(2)
  expect(proof.checkpoint).toBe(NOTE)
})

test('the event may be left out, and a tree of one needs no hash', () => {
  const proof = parseProof('c2sp.org/tlog-proof@v1\nindex 0\n\nrest')
  expect(proof).toMatchObject({ event: undefined, index: 0, hashes: [], checkpoint: 'rest' })
})

test.each([
  ['no checkpoint', FILE.split('\n\n')[0] ?? ''],
  ['another format', FILE.replace('@v1', '@v2')],
  ['an event that is no base64', FILE.replace('extra ', 'extra !')],
  ['no place', FILE.replace('index 5\n', '')],
  ['a place that is no number', FILE.replace('index 5', 'index 05')],
  ['a hash that is too short', FILE.replace(HASH, HASH.slice(4))],
  ['something else', 'hello'],
  ['nothing', ''],
])('a file with %s is refused', (_, text) => {
  expect(typeof parseProof(text)).toBe('string')
})

test('the hashes of a consistency proof are read, and nothing else is', () => {
  expect(parseHashes('')).toEqual([])
  expect(parseHashes(`${HASH}\n${HASH}\n`)).toHaveLength(2)
  for (const text of ['\n', HASH, `${HASH}\n\n`, `${HASH} \n`, `${HASH.slice(4)}\n`, '<html>\n']) {
    expect(parseHashes(text), JSON.stringify(text)).toBeUndefined()
  }
})
