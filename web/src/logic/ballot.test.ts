import { expect, test } from 'vitest'
import {
  approving, constraintWords, given, held, missing, stands, whyNotAlone, whyNotNow, type Ballot, type Voter,
} from './ballot'

const now = Date.parse('2024-03-01T12:00:00Z')
const grace: Voter = { actor_id: 'grace', roles: ['approver'], permissions: ['approvals.vote'] }
const ballot: Ballot = {
  status: 'pending', tier: 'high', requester_id: 'ada', author_id: 'bob', roles: ['approver', 'admin'], min_votes: 2,
  expires_at: '2024-03-01T13:00:00Z', votes: [],
}
const yes = (actor_id: string) => ({ actor_id, decision: 'approve' })
const no = (actor_id: string) => ({ actor_id, decision: 'deny' })

test('votes are counted, and what is missing', () => {
  expect(missing(ballot)).toBe(2)
  const one = { ...ballot, votes: [yes('a')] }
  expect([given(one), missing(one)]).toEqual([1, 1])
  expect(missing({ ...ballot, votes: [yes('a'), yes('b'), yes('c')] })).toBe(0)
  expect(missing({ ...ballot, min_votes: 0 })).toBe(1)
  expect(missing({ ...ballot, alone: 'grace' })).toBe(0)
})

test.each([
  [grace, ballot, undefined],
  [grace, { ...ballot, expires_at: '2024-03-01T12:00:00Z' }, 'time is over'],
  [{ ...grace, actor_id: 'ada' }, ballot, 'You asked'],
  [{ ...grace, actor_id: 'bob' }, ballot, 'You wrote'],
  [grace, { ...ballot, votes: [yes('grace')] }, 'voted already'],
  [grace, { ...ballot, status: 'void' }, 'void already'],
])('who may vote now: %#', (voter, on, expected) => {
  const why = whyNotNow(voter, on, now)
  if (expected === undefined) expect(why).toBeUndefined()
  else expect(why).toContain(expected)
})

test('emergency authority is held until its end, its return or its review', () => {
  const glass = { actor_id: 'grace', expires_at: '2024-03-01T12:30:00Z' }
  expect(held([glass], 'grace', now)).toBe(glass)
  expect(held([glass], 'ada', now)).toBeUndefined()
  expect(held([glass], 'grace', now + 1_800_000)).toBeUndefined()
  expect(held([{ ...glass, ended_at: '2024-03-01T11:00:00Z' }], 'grace', now)).toBeUndefined()
  expect(held([{ ...glass, reviewed_at: '2024-03-01T11:00:00Z' }], 'grace', now)).toBeUndefined()
})

test('alone one may approve one’s own request and plan, and nothing without the role', () => {
  expect(whyNotAlone({ ...grace, actor_id: 'ada' }, ballot, now)).toBeUndefined()
  expect(whyNotAlone(grace, { ...ballot, votes: [yes('grace')] }, now)).toBeUndefined()
  expect(whyNotAlone(grace, { ...ballot, votes: [no('grace')] }, now)).toContain('denied')
  expect(whyNotAlone({ ...grace, roles: ['operator'] }, ballot, now)).toContain('approver, admin')
  expect(whyNotAlone({ ...grace, permissions: [] }, ballot, now)).toContain('role')
  expect(whyNotAlone(grace, { ...ballot, status: 'denied' }, now)).toContain('denied already')
})

const on = { targets: ['web-1'], nowhere: false, final: [], alone: false }

test('a vote that is not the last one says how many are missing', () => {
  expect(approving(ballot, on)).toEqual(['Your vote is counted. 1 more vote is needed before anything happens.'])
  expect(approving({ ...ballot, min_votes: 4 }, on)[0]).toContain('3 more votes are needed')
})

test('the last vote says where it starts, and what cannot be undone', () => {
  const last = { ...ballot, min_votes: 1 }
  expect(approving(last, on)[0]).toContain('starts at once on web-1.')
  expect(approving(last, on)[1]).toContain('what was done is undone')
  expect(approving(last, { ...on, final: ['Wipe'] })[1]).toContain('“Wipe” cannot be')
  expect(approving(last, { ...on, nowhere: true })).toEqual([
    'Yours is the last vote that is needed. What is asked for holds at once; nothing runs on any host.',
  ])
})

test('a vote under emergency authority is the last one', () => {
  expect(approving({ ...ballot, min_votes: 5 }, { ...on, alone: true })[0]).toContain('Your vote stands for all votes.')
})

test.each([
  [ballot, '0 of 2 votes given, 2 missing.'],
  [{ ...ballot, min_votes: 1 }, '0 of 1 vote given, 1 missing.'],
  [{ ...ballot, expires_at: '2024-03-01T11:00:00Z' }, 'Nobody decided in time.'],
  [{ ...ballot, status: 'denied' }, 'Denied. That is final.'],
  [{ ...ballot, status: 'approved', alone: 'grace' }, 'Approved by one person alone, under emergency authority.'],
])('where it stands: %#', (of, sentence) => {
  expect(stands(of, now)).toBe(sentence)
})

test('constraints are said in words, unknown ones as they are', () => {
  expect(constraintWords({
    max_targets: 3, maintenance_window: { start: '22:00', end: '06:00', timezone: 'Europe/Vienna' },
    allowed_envs: ['dev', 'test'], later: { a: 1 },
  })).toEqual([
    'At most 3 targets.', 'Only between 22:00 and 06:00 (Europe/Vienna).', 'Only in dev, test.', 'later: {"a":1}',
  ])
})
