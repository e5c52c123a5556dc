import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'

/** What a voter says. */
export interface Vote {
  choice: 'approve' | 'deny'
  note: string
  /** Given alone, under emergency authority. */
  alone?: boolean
  /** What the generator shows, once the server asked for it. */
  code?: string
}

/** Collections of the API that a vote may change. */
const TOUCHED = /^\/api\/v1\/(approvals|executions|intents|dashboard|exceptions|findings|break-glass)\b/

/**
 * Casts a vote; with a code the second factor is shown first, for exactly what is bound. `done` is
 * told also when the page has moved on in the meantime: the event stream may be faster.
 */
export function useVote(approval: Schema<'ApprovalDetail'>, done: (ballot: Schema<'BallotOut'>) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async ({ choice, note, alone, code }: Vote) => {
      if (code) await api.POST('/api/v1/account/step-up', { body: { bound_hash: approval.bound_hash, code } })
      const body = { source: 'ui', note, ...(alone ? { break_glass: true } : {}) }
      const to = { params: { path: { id: approval.id } }, body }
      const { data } = choice === 'approve'
        ? await api.POST('/api/v1/approvals/{id}/approve', to)
        : await api.POST('/api/v1/approvals/{id}/deny', to)
      return data
    },
    onSuccess: (ballot) => {
      if (ballot) done(ballot)
    },
    // A refusal tells of a change as well: an expiry, another's vote.
    onSettled: () => {
      void queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => typeof path === 'string' && TOUCHED.test(path),
      })
    },
  })
}

/** What a vote brought about, in a sentence. */
export function broughtAbout({ result, missing }: Schema<'BallotOut'>, nowhere: boolean): string {
  switch (result) {
    case 'approved':
      return nowhere ? 'Approved: what was asked for holds.' : 'Approved: it is judged once more and starts.'
    case 'denied':
      return nowhere ? 'Denied: it does not come about.' : 'Denied: it will not run.'
    case 'repeated':
      return 'You had said the same before; nothing changed.'
    default: {
      const more = missing ? `; ${missing} more ${missing === 1 ? 'is' : 'are'} needed` : ''
      return `Your vote is counted${more}.`
    }
  }
}
