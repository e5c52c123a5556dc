import { expect, test } from 'vitest'
import { around, bears, dependence, radius, type Edge } from './radius'

const edge = (text: string): Edge => {
  const [from_id = '', relation = '', to_id = ''] = text.split(' ')
  return { from_id, relation, to_id }
}
const edges = (...texts: string[]) => texts.map(edge)

test.each([
  ['depends_on', false], ['reaches', false], ['runs_on', false], ['no word anybody knows', false],
  ['contains', true], ['Contains', true], ['used by', true], ['used-by', true],
])('the start of `%s` bears its end: %s', (relation, expected) => expect(bears(relation)).toBe(expected))

test('what is contained depends on what contains it', () => {
  expect(dependence(edge('host contains vm'))).toEqual({ who: 'vm', on: 'host' })
  expect(dependence(edge('web depends_on db'))).toEqual({ who: 'web', on: 'db' })
})

test('the radius is what transitively depends, nearest first', () => {
  const graph = edges(
    'web depends_on app', 'app depends_on db', 'report depends_on db', 'host contains db', 'db reaches s3',
  )
  expect(radius(['db'], graph).map((one) => [one.id, one.steps, one.through])).toEqual([
    ['app', 1, 'db'], ['report', 1, 'db'], ['web', 2, 'app'],
  ])
  expect(radius(['host'], graph).map((one) => one.id)).toEqual(['db', 'app', 'report', 'web'])
  expect(radius(['web'], graph)).toEqual([])
})

test('circles end, and nothing depends on itself', () => {
  const graph = edges('a depends_on b', 'b depends_on c', 'c depends_on a', 'a depends_on a')
  expect(radius(['a'], graph).map((one) => [one.id, one.steps])).toEqual([['c', 1], ['b', 2]])
})

test('several roots are none of what they reach, and the shortest way counts', () => {
  const graph = edges('x depends_on a', 'y depends_on x', 'y depends_on b', 'a depends_on b')
  const found = radius(['a', 'b'], graph).map((one) => [one.id, one.steps, one.through])
  expect(found).toEqual([['x', 1, 'a'], ['y', 1, 'b']])
})

test('the order of the edges changes nothing but ties of the way', () => {
  const graph = edges('c depends_on a', 'b depends_on a', 'd depends_on b')
  expect(radius(['a'], [...graph].reverse())).toEqual(radius(['a'], graph))
})

test('a long chain is followed to its end', () => {
  const chain = Array.from({ length: 5_000 }, (_, at) => edge(`n${at + 1} depends_on n${at}`))
  expect(radius(['n0'], chain).at(-1)).toMatchObject({ id: 'n5000', steps: 5_000 })
})

test('around goes both ways, so far and not further', () => {
  const graph = edges('a x b', 'b x c', 'c x d', 'z x a')
  expect(around(['a'], graph, 1, 100)).toEqual({ ids: ['a', 'b', 'z'], cut: false })
  expect(around(['a'], graph, 2, 100).ids).toEqual(['a', 'b', 'z', 'c'])
  expect(around(['a'], graph, 0, 100).ids).toEqual(['a'])
  expect(around(['a'], graph, 9, 3)).toEqual({ ids: ['a', 'b', 'z'], cut: true })
})
