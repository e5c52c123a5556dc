import { expect, test } from 'vitest'
import { worstOf, worstSaid } from './worst'

const findings = [
  { resource_id: 'a', severity: 'critical' }, { resource_id: null, severity: 'critical' },
  { resource_id: 'b', severity: 'high' }, { resource_id: 'a', severity: 'low' },
]

test('all that is open is counted by resource', () => {
  const worst = worstOf(findings, false)
  expect([...worst].map(([id, one]) => [id, worstSaid(one)])).toEqual([
    ['a', '2 open findings, the worst critical'], ['b', '1 open finding, the worst high'],
  ])
})

test('of a part nothing is counted, and the worst is told all the same', () => {
  const worst = worstOf(findings, true)
  expect([...worst].map(([id, one]) => [id, worstSaid(one)])).toEqual([
    ['a', 'open findings, the worst critical'], ['b', 'open findings, the worst high'],
  ])
})
