import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { Facts } from '../../parts/Facts'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { ThingName } from '../../parts/ThingName'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'

/** One exception: what it allows, until when, who asked, and the approval it stands on. */
export function ExceptionDetail({ id }: { id: string }) {
  const exception = useQuery(get('/api/v1/exceptions/{id}', { params: { path: { id } } }))
  return (
    <Section title="The exception" aside={exception.data && <Revoke exception={exception.data} />}>
      <Loaded query={exception} rows={5}>{(found) => <Detail exception={found} />}</Loaded>
    </Section>
  )
}

const SAID: Record<string, string> = {
  pending: 'It allows nothing until it is approved.',
  approved: 'It holds until it ends; then what it was for is open again.',
  rejected: 'It allows nothing: it was not approved, or was withdrawn before.',
  expired: 'It is over and allows nothing.',
}

function Detail({ exception }: { exception: Schema<'ExceptionOut'> }) {
  const { finding_id: finding, resource_id: resource, policy_id: policy, approval_id: approval } = exception
  return (
    <Facts
      facts={[
        ['Status', <><Status of={exception.status} /> <Text span size="sm">{SAID[exception.status]}</Text></>],
        ['Why', <Outside>{exception.reason}</Outside>],
        finding && ['Finding', <ThingName kind="finding" id={finding} />],
        resource && ['Resource', <ThingName kind="resource" id={resource} />],
        policy && ['Policy', <Policy id={policy} />],
        ['Ends', <When at={exception.expires_at} />],
        exception.revoked_at && ['Ended by', (
          <>
            <ActorName id={exception.revoked_by} /> <When at={exception.revoked_at} />:{' '}
            <Outside>{exception.revoke_reason}</Outside>
          </>
        )],
        exception.recertify_at && ['Look at it again', <When at={exception.recertify_at} />],
        ['Asked by', <><ActorName id={exception.created_by} /> <When at={exception.created_at} /></>],
        ['Approval', approval
          ? <Anchor component={Link} to={`/approvals/${approval}`}>the request and its votes</Anchor>
          : <Text span size="sm" className="faint">none: the gate refused it, or it is older than approvals of policies</Text>],
        ['Id', <span className="mono">{exception.id}</span>],
      ]}
    />
  )
}

/** Ends an exception before its time, or withdraws it; nothing where it is over. */
function Revoke({ exception }: { exception: Schema<'ExceptionOut'> }) {
  const why = useMay('exceptions.revoke') ? undefined : needed('exceptions.revoke')
  const touch = useTouch()
  const { id, status } = exception
  if (status !== 'pending' && status !== 'approved') return null
  const holds = status === 'approved'
  return (
    <Sure
      label={holds ? 'Revoke' : 'Withdraw'} title={holds ? 'Revoke the exception?' : 'Withdraw the request?'} why={why}
      color="red" reason={{ label: 'Why', most: 2000 }}
      act={(reason) => api.POST('/api/v1/exceptions/{id}/revoke', { params: { path: { id } }, body: { reason } })}
      onDone={() => void touch('exceptions', 'approvals', 'findings', 'dashboard', 'intents')}
    >
      {holds
        ? 'It allows nothing from now on. What it alone let stand is open again at once.'
        : 'Nobody is asked any more: the approval it waits for is withdrawn.'}
    </Sure>
  )
}

function Policy({ id }: { id: string }) {
  const policy = useQuery({ ...get('/api/v1/provider-policies/{id}', { params: { path: { id } } }), retry: false })
  if (!policy.data) return <span className="mono">{id}</span>
  return <Outside>{`${policy.data.name} (${policy.data.provider})`}</Outside>
}
