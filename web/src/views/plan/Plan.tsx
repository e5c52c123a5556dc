import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { Failed, Loaded } from '../../parts/State'
import { PlanPage } from './PlanPage'
import { useApprovalOf } from './usePlan'

/** A plan, by its id: what would be done, why, and what was decided about it. */
export function PlanView() {
  const { id } = useParams({ strict: false }) as { id: string }
  const plan = useQuery(get('/api/v1/plans/{id}', { params: { path: { id } } }))
  const { approval, error, refetch } = useApprovalOf(id)
  return (
    <>
      {error && <Failed problem={asProblem(error)} retry={refetch} />}
      <Loaded query={plan} rows={8}>
        {(found) => <PlanPage key={found.id} plan={found} approval={approval ?? undefined} />}
      </Loaded>
    </>
  )
}

/** The same page for a request for approval: its plan, with the vote that is asked for. */
export function ApprovalView() {
  const { id } = useParams({ strict: false }) as { id: string }
  const approval = useQuery(get('/api/v1/approvals/{id}', { params: { path: { id } } }))
  const planId = approval.data?.plan_id
  const plan = useQuery({
    ...get('/api/v1/plans/{id}', { params: { path: { id: planId ?? '' } } }), enabled: planId !== undefined,
  })
  return (
    <Loaded query={approval} rows={8}>
      {(asked) => (
        <Loaded query={plan} rows={8}>{(found) => <PlanPage key={asked.id} plan={found} approval={asked} />}</Loaded>
      )}
    </Loaded>
  )
}
