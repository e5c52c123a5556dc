import { expect, test } from 'vitest'
import { base64, differAt, hex, joined, same, sha256, unbase64, unhex, utf8 } from './bytes'

test.each(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'])('base64 of %j is read back (RFC 4648, 10)', (text) => {
  expect(unbase64(base64(utf8(text)))).toEqual(utf8(text))
})

test.each(['Zg', 'Zg=', 'Zh==', 'Zm9=', 'Z g=', 'Zg==\n', 'Zg===', '-_==', '='])('%j is no base64', (text) => {
  expect(unbase64(text)).toBeUndefined()
})

test('hexadecimal digits', () => {
  expect(hex(new Uint8Array([0, 15, 255]))).toBe('000fff')
  expect(unhex('000fFF')).toEqual(new Uint8Array([0, 15, 255]))
  expect(unhex('0')).toBeUndefined()
  expect(unhex('0g')).toBeUndefined()
})

test('comparing', () => {
  const [one, other] = [utf8('abc'), utf8('abd')]
  expect(same(one, utf8('abc'))).toBe(true)
  expect(same(one, other)).toBe(false)
  expect(same(one, utf8('ab'))).toBe(false)
  expect(differAt(one, other)).toBe(2)
  expect(differAt(one, utf8('ab'))).toBe(2)
  expect(differAt(one, utf8('abc'))).toBeUndefined()
  expect(joined(one, other)).toEqual(utf8('abcabd'))
})

test('SHA-256 (FIPS 180-4, of "abc")', async () => {
  expect(hex(await sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
