import { inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { utf8 } from './bytes'
import { crc32, zip } from './zip'

test('CRC-32 of its own check (ISO 3309: "123456789")', () => {
  expect(crc32(utf8('123456789'))).toBe(0xcbf43926)
  expect(crc32(utf8(''))).toBe(0)
})

/** Reads an archive by its directory, as programs do. */
function read(archive: Uint8Array): [string, string][] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const end = archive.length - 22
  expect(view.getUint32(end, true)).toBe(0x06054b50)
  const files: [string, string][] = []
  let at = view.getUint32(end + 16, true)
  for (let file = 0; file < view.getUint16(end + 10, true); file += 1) {
    expect(view.getUint32(at, true)).toBe(0x02014b50)
    const [method, sum, size] = [
      view.getUint16(at + 10, true), view.getUint32(at + 16, true), view.getUint32(at + 24, true),
    ]
    const nameSize = view.getUint16(at + 28, true)
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameSize))
    const local = view.getUint32(at + 42, true)
    expect(view.getUint32(local, true)).toBe(0x04034b50)
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
    const raw = archive.subarray(from, from + size)
    const content = method === 0 ? raw : inflateRawSync(raw)
    expect(crc32(content)).toBe(sum)
    files.push([name, new TextDecoder().decode(content)])
    at += 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  expect(at - view.getUint32(end + 16, true)).toBe(view.getUint32(end + 12, true))
  return files
}

test('what is put in is read out', () => {
  const files: [string, string][] = [['README.txt', 'hello\n'], ['a/empty', ''], ['b.tlog-proof', 'ä€😀'.repeat(1_000)]]
  const archive = zip(files.map(([name, text]) => ({ name, content: utf8(text) })), new Date('2026-03-01T12:34:56Z'))
  expect(read(archive)).toEqual(files)
})

test('an archive of nothing is one', () => {
  expect(read(zip([], new Date(0)))).toEqual([])
})
