/** Who may vote, as the server will judge it; the server's answer counts. */
interface Voter {
  actor_id: string
  roles: string[]
  permissions: string[]
}

interface Ballot {
  status: string
  tier: string
  requester_id: string
  author_id: string
  roles: string[]
  votes: { actor_id: string }[]
}

/** Why somebody may not vote on an approval; `undefined` when they may. */
export function whyNotVote(voter: Voter, ballot: Ballot): string | undefined {
  if (ballot.status !== 'pending') return `It is ${ballot.status} already.`
  if (!voter.permissions.includes('approvals.vote')) return 'Voting needs the role approver or admin.'
  if (ballot.requester_id === voter.actor_id) return 'You asked for it: somebody else must agree.'
  const low = ballot.tier === 'low' || ballot.tier === 'read'
  if (ballot.author_id === voter.actor_id && !low) return 'You wrote the plan: somebody else must agree.'
  if (ballot.roles.length > 0 && !ballot.roles.some((role) => voter.roles.includes(role))) {
    return `The policy asks for one of: ${ballot.roles.join(', ')}.`
  }
  if (ballot.votes.some((vote) => vote.actor_id === voter.actor_id)) return 'You voted already.'
  return undefined
}

export const mayVote = (voter: Voter, ballot: Ballot) => whyNotVote(voter, ballot) === undefined
