import { expect, test } from 'vitest'
import { whyNotVote } from './votes'

const grace = { actor_id: 'act_grace', roles: ['approver'], permissions: ['approvals.vote'] }
const ballot = {
  status: 'pending', tier: 'high', requester_id: 'act_source', author_id: 'act_ada', roles: ['approver', 'admin'],
  votes: [] as { actor_id: string }[],
}

test('who may vote may', () => expect(whyNotVote(grace, ballot)).toBeUndefined())

test.each([
  ['it is over', grace, { ...ballot, status: 'denied' }, 'denied'],
  ['a viewer', { ...grace, permissions: [] }, ballot, 'role'],
  ['whoever asked', { ...grace, actor_id: 'act_source' }, ballot, 'You asked'],
  ['whoever wrote it', { ...grace, actor_id: 'act_ada' }, ballot, 'You wrote'],
  ['another role', { ...grace, roles: ['operator'] }, ballot, 'one of'],
  ['twice', grace, { ...ballot, votes: [{ actor_id: 'act_grace' }] }, 'already'],
])('%s: not', (_, voter, asked, why) => {
  expect(whyNotVote(voter, asked)).toContain(why)
})

test('the author of a plan of tier low may vote on it', () => {
  expect(whyNotVote({ ...grace, actor_id: 'act_ada' }, { ...ballot, tier: 'low' })).toBeUndefined()
})
