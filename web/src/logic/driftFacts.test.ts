import { expect, test } from 'vitest'
import { readAssessment, readCall, readEvent, readSubject, severityOf } from './driftFacts'

test('all four axes are there, and what nobody said is not zero', () => {
  expect(readAssessment({ security: 0.95, cost: 0, compliance: 'x' }).axes).toEqual([
    { axis: 'security', score: 0.95 }, { axis: 'performance', score: undefined },
    { axis: 'cost', score: 0 }, { axis: 'compliance', score: undefined },
  ])
})

test('scores stay within 0 and 1', () => {
  const { axes } = readAssessment({ security: 7, performance: -1 })
  expect(axes.map(({ score }) => score)).toEqual([1, 0, undefined, undefined])
})

test('reasons say what they are about and weigh', () => {
  const rule = { path: 'ingress[0]', why: 'open to all', security: 0.9, cost: 0.1 }
  const { reasons } = readAssessment({ reasons: [rule, {}, null] })
  expect(reasons).toHaveLength(1)
  expect(reasons[0]).toMatchObject({ path: 'ingress[0]', why: 'open to all' })
  expect(reasons[0]?.scores[0]).toEqual({ axis: 'security', score: 0.9 })
})

test.each([
  [0, 'low'], [0.29, 'low'], [0.3, 'medium'], [0.59, 'medium'], [0.6, 'high'], [0.79, 'high'], [0.8, 'critical'],
  [1, 'critical'],
])('%d is %s', (score, word) => expect(severityOf(score)).toBe(word))

test('what a scan says of the resource is read, and the rest is kept as texts', () => {
  expect(readSubject({ address: 'aws_instance.web', type: 'aws_instance', id: null, region: 'eu', n: 3 })).toEqual({
    address: 'aws_instance.web', type: 'aws_instance', id: undefined, more: [['region', 'eu'], ['n', '3']],
  })
  expect(readSubject(null).more).toEqual([])
})

test('events and calls are read as far as they go', () => {
  expect(readEvent({ at: 't', during: true, matched: ['resource', 3], summary: 's', actor: null })).toEqual({
    at: 't', until: undefined, during: true, matched: ['resource'], severity: undefined, summary: 's', actor: undefined,
  })
  expect(readEvent('x')).toMatchObject({ during: false, matched: [] })
  expect(readCall({ source_ip: '198.51.100.7', user_agent: 'console' }))
    .toMatchObject({ sourceAddress: '198.51.100.7', userAgent: 'console' })
})
