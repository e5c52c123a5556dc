import { expect, test } from 'vitest'
import { beside, isWay, matches, queryOf, reachOf, type EstateFilter } from './estate'

const web = {
  name: 'web-1', hostname: 'web-1.example.com', owner_team: 'Shop', external_id: 'i-07', environment_id: 'env_1',
  kind: 'server', type: 'aws_instance', provider: 'aws', status: 'active',
}

test.each<[EstateFilter, boolean]>([
  [{}, true], [{ q: '' }, true], [{ q: 'WEB' }, true], [{ q: 'shop' }, true], [{ q: 'i-07' }, true],
  [{ q: 'aws' }, false],
  [{ environment: 'env_1' }, true], [{ environment: 'env_2' }, false], [{ provider: 'aws', kind: 'server' }, true],
  [{ provider: 'gcp' }, false], [{ type: 'aws_instance' }, true], [{ type: 'aws' }, false],
  [{ status: 'retired' }, false],
])('%j leaves it: %s', (filter, expected) => expect(matches(web, filter)).toBe(expected))

test('what names no status is active', () => {
  expect(matches({ ...web, status: undefined }, { status: 'active' })).toBe(true)
})

test('a filter is asked for by the words of the API', () => {
  expect(queryOf({ q: 'x', environment: 'env_1', provider: '' })).toEqual({
    q: 'x', environment_id: ['env_1'], kind: undefined, type: undefined, provider: undefined, status: undefined,
  })
})

test('a plan tells its targets and its reach', () => {
  const targets = [{ resource_id: 'res_1', name: 'web-1', host: 'x' }, { resource_id: 'res_2' }, { name: 'lost' }, 7]
  const reach = { targets: 2, scope: 'namespace', irreversible: true, environments: ['prod', 3] }
  expect(reachOf({ targets }, reach)).toEqual({
    targets: [{ id: 'res_1', name: 'web-1' }, { id: 'res_2', name: 'res_2' }],
    scope: 'namespace', irreversible: true, environments: ['prod'],
  })
})

test.each([undefined, null, 7, 'x', [], {}, { targets: 'x' }])('a plan of %j tells nothing and breaks nothing', (odd) =>
  expect(reachOf(odd, odd)).toEqual({ targets: [], scope: undefined, irreversible: undefined, environments: [] }))

const spots = [
  { id: 'centre', x: 0, y: 0 }, { id: 'right', x: 100, y: 10 }, { id: 'far', x: 300, y: 0 },
  { id: 'below', x: 10, y: 50 },
  { id: 'left', x: -100, y: -40 }, { id: 'aside', x: 10, y: 400 },
]

test.each([
  ['ArrowRight', 'right'], ['ArrowDown', 'below'], ['ArrowLeft', 'left'], ['ArrowUp', undefined],
] as const)('%s leads to %s', (way, expected) => {
  expect(beside(spots, { id: 'centre', x: 0, y: 0 }, way)).toBe(expected)
})

test('of two as near the first by id', () => {
  const twins = [{ id: 'b', x: 10, y: 5 }, { id: 'a', x: 10, y: -5 }]
  expect(beside(twins, { id: 'c', x: 0, y: 0 }, 'ArrowRight')).toBe('a')
})

test('arrows are ways and other keys are not', () => {
  expect(['ArrowUp', 'Enter', 'xArrowUp', 'ArrowUpx'].filter(isWay)).toEqual(['ArrowUp'])
})
