import { List, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import type { ListedBundle } from '../../logic/policyBundles'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Waiting } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

type PolicyBundle = Schema<'BundleOut'>

interface ActivateProps {
  bundle: PolicyBundle
  /** The one that decides now. */
  active: ListedBundle | undefined
  why: string | undefined
}

/** Lets a bundle decide from now on, after saying which approvals that voids. */
export function Activate({ bundle, active, why }: ActivateProps) {
  const touch = useTouch()
  const name = `${bundle.name} ${bundle.version}`
  return (
    <Sure
      label="Activate" title={`Let ${name} decide?`} why={why} button={{ 'aria-label': `Activate ${name}` }}
      act={async () => {
        await api.POST('/api/v1/policies/{id}/activate', { params: { path: { id: bundle.id } } })
        await touch('policies', 'approvals', 'executions', 'plans')
      }}
    >
      <Text size="sm">
        From now on <Outside>{name}</Outside> decides about every change
        {active && <>, in the place of <Outside>{active.title}</Outside></>}. Its own tests must
        pass.
      </Text>
      {bundle.hash === active?.hash ? (
        <Text size="sm" mt="xs">It has the same files as the one that decides: no approval is touched.</Text>
      ) : <Voided />}
    </Sure>
  )
}

const MOST = 100
const some = (n: number, one: string, more: boolean | undefined) => (more ? `more than ${n} ${one}s` : count(n, one))

/** What another policy does to what waits: approvals are bound to the policy they were asked for under. */
function Voided() {
  const pending = useQuery(get('/api/v1/approvals', { params: { query: { status: ['pending'], limit: MOST } } }))
  const waiting = useQuery(get('/api/v1/executions', { params: { query: { state: ['approved'], limit: MOST } } }))
  if (pending.isPending || waiting.isPending) return <Waiting rows={2} />
  const asked = pending.data && some(pending.data.items.length, 'approval', pending.data.has_next)
  const ready = waiting.data && some(waiting.data.items.length, 'change', waiting.data.has_next)
  return (
    <List size="sm" mt="xs" spacing={4}>
      <List.Item>
        {asked ?? 'Approvals'} wait for votes and {ready ?? 'changes'} for their start. Each is judged anew when it
        would start; its approval was bound to the other policy and is void then, and people are asked again.
      </List.Item>
      <List.Item>What runs now goes on as it was cleared.</List.Item>
    </List>
  )
}
