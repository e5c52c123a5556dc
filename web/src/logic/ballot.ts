import { fields } from './json'
import { named } from './planDocument'
import { whyNotVote } from './votes'
import { count } from './words'

/** Who may vote. */
export interface Voter {
  actor_id: string
  roles: string[]
  permissions: string[]
}

/** A request for approval, as far as votes go. */
export interface Ballot {
  status: string
  tier: string
  requester_id: string
  author_id: string
  roles: string[]
  min_votes: number
  expires_at: string
  alone?: string | null
  votes: { actor_id: string; decision: string }[]
}

/** Emergency authority somebody took. */
export interface Glass {
  actor_id: string
  expires_at: string
  ended_at?: string | null
  reviewed_at?: string | null
}

/** How many approving votes there are. */
export const given = ({ votes }: Ballot) => votes.filter((vote) => vote.decision === 'approve').length

/** How many approving votes are missing. */
export const missing = (ballot: Ballot) =>
  ballot.alone || ballot.status === 'approved' ? 0 : Math.max(0, Math.max(1, ballot.min_votes) - given(ballot))

const over = (ballot: Ballot, now: number) => ballot.status === 'pending' && Date.parse(ballot.expires_at) <= now

/** Why somebody may not vote now; `undefined` when they may. */
export function whyNotNow(voter: Voter, ballot: Ballot, now: number): string | undefined {
  if (over(ballot, now)) return 'Its time is over: whoever wants the change must ask again.'
  return whyNotVote(voter, ballot)
}

/** The emergency authority somebody holds at a moment. */
export function held<G extends Glass>(all: G[], actorId: string, now: number): G | undefined {
  return all.find((glass) =>
    glass.actor_id === actorId && !glass.ended_at && !glass.reviewed_at && Date.parse(glass.expires_at) > now)
}

/**
 * Why somebody who holds emergency authority may not approve alone: it replaces the votes of others,
 * so it may be one's own request, and nothing else (`gate::approval::vote_alone`).
 */
export function whyNotAlone(voter: Voter, ballot: Ballot, now: number): string | undefined {
  if (over(ballot, now)) return 'Its time is over: whoever wants the change must ask again.'
  if (ballot.status !== 'pending') return `It is ${ballot.status} already.`
  if (!voter.permissions.includes('approvals.vote')) return 'Voting needs the role approver or admin.'
  if (ballot.roles.length > 0 && !ballot.roles.some((role) => voter.roles.includes(role))) {
    return `The policy asks for one of: ${ballot.roles.join(', ')}.`
  }
  const denied = ballot.votes.some((vote) => vote.actor_id === voter.actor_id && vote.decision === 'deny')
  return denied ? 'You denied it.' : undefined
}

/** What a plan is about, as far as a vote's consequence goes. */
export interface Consequence {
  targets: string[]
  /** Its approval brings something about, and nothing runs. */
  nowhere: boolean
  /** Steps that change something and cannot be undone. */
  final: string[]
  /** Given alone, under emergency authority. */
  alone: boolean
}

/** What happens next when somebody approves, sentence by sentence. */
export function approving(ballot: Ballot, of: Consequence): string[] {
  const after = of.alone ? 0 : missing(ballot) - 1
  if (after > 0) {
    const more = `${count(after, 'more vote')} ${after === 1 ? 'is' : 'are'} needed`
    return [`Your vote is counted. ${more} before anything happens.`]
  }
  const last = of.alone ? 'Your vote stands for all votes.' : 'Yours is the last vote that is needed.'
  if (of.nowhere) return [`${last} What is asked for holds at once; nothing runs on any host.`]
  const final = named(of.final.map((name) => `“${name}”`))
  return [
    `${last} The plan is made and judged once more; if nothing changed, it starts at once on ${named(of.targets, 4)}.`,
    final === ''
      ? 'Checks decide whether it worked. If they fail, what was done is undone, last step first.'
      : `Checks decide whether it worked. If they fail, what can be undone is undone; ${final} cannot be.`,
  ]
}

/** Where an approval stands, in a sentence. */
export function stands(ballot: Ballot & { reason?: string | null }, now: number): string {
  if (over(ballot, now)) return 'Nobody decided in time.'
  switch (ballot.status) {
    case 'pending': {
      const open = missing(ballot)
      return `${given(ballot)} of ${count(Math.max(1, ballot.min_votes), 'vote')} given, ${open} missing.`
    }
    case 'approved': return ballot.alone ? 'Approved by one person alone, under emergency authority.' : 'Approved.'
    case 'denied': return 'Denied. That is final.'
    case 'expired': return 'Expired: it was not decided, or not begun, in time.'
    case 'void': return 'Void: what it was bound to has changed, or it was withdrawn.'
    default: return ballot.status
  }
}

/** The constraints a decision holds under, as sentences. */
export function constraintWords(constraints: Record<string, unknown>): string[] {
  return Object.entries(constraints).map(([name, value]) => {
    if (name === 'max_targets') return `At most ${String(value)} targets.`
    if (name === 'maintenance_window') {
      const { start, end, timezone } = fields(value)
      if (start && end) return `Only between ${String(start)} and ${String(end)} (${String(timezone ?? 'UTC')}).`
    }
    if ((name === 'allowed_envs' || name === 'environments') && Array.isArray(value)) {
      return `Only in ${value.map(String).join(', ')}.`
    }
    return `${name.replaceAll('_', ' ')}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
  })
}
