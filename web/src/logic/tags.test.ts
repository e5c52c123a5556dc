import { expect, test } from 'vitest'
import { readTags, writtenTags } from './tags'

test('labels are written by name', () => {
  expect(writtenTags({ role: 'web', app: 'shop' })).toEqual(['app=shop', 'role=web'])
  expect(writtenTags(undefined)).toEqual([])
})

test.each<[string[], Record<string, string>, string[]]>([
  [['role=web'], { role: 'web' }, []],
  [[' role = web '], { role: 'web' }, []],
  [['query=a=b'], { query: 'a=b' }, []],
  [['empty='], { empty: '' }, []],
  [['a=1', 'a=2'], { a: '2' }, []],
  [['role', '=web', 'b=1'], { b: '1' }, ['role', '=web']],
])('%j reads as %j', (written, tags, wrong) => expect(readTags(written)).toEqual({ tags, wrong }))

test('what is written is read again', () => {
  const tags = { 'k8s.io/name': 'x=y', z: '' }
  expect(readTags(writtenTags(tags)).tags).toEqual(tags)
})

test('a name of the language is a name like others', () => {
  expect(Object.keys(readTags(['__proto__=x']).tags)).toEqual(['__proto__'])
})
