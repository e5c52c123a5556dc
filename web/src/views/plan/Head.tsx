import { Alert, Anchor, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { stands } from '../../logic/ballot'
import { inOneSentence, runsNowhere, wayBack, type PlanDocument, type Target } from '../../logic/planDocument'
import { absolute } from '../../logic/time'
import { count, words } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Severity, Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { ThingName } from '../../parts/ThingName'
import { useNow, When } from '../../parts/When'
import { Facts } from '../risk/Facts'
import { Fold } from '../risk/Fold'
import type { Everything } from './usePlan'

/** What decides, on the first screen: what, where, how bad, who, why, what is missing, until when. */
export function Head({ all }: { all: Everything }) {
  const { plan, document, approval, execution, decision, intent } = all
  const now = useNow()
  const denial = approval?.votes.find((vote) => vote.decision === 'deny')
  const newer = execution && execution.plan_id !== plan.id ? execution : undefined
  return (
    <Section title="What will be done">
      <Stack gap="sm">
        {newer && (
          <Alert color="orange" variant="light" title="Another plan took its place">
            <Anchor
              component={Link} to={newer.approval_id ? `/approvals/${newer.approval_id}` : `/plans/${newer.plan_id}`}
            >
              Go to the plan that counts
            </Anchor>
          </Alert>
        )}
        <Text fw={600} size="lg" component="p" m={0}><Sentence all={all} /></Text>
        <Group gap="sm">
          {(approval ?? decision) && <Tier of={approval?.tier ?? decision?.tier ?? ''} />}
          {approval ? <Status of={approval.status} /> : decision && <Status of={decision.verdict} />}
          {execution && !newer && (
            <Group gap={6}>
              <Anchor component={Link} to={`/executions/${execution.id}`} size="sm">Execution</Anchor>
              <Status of={execution.state} />
            </Group>
          )}
        </Group>
        <Facts
          of={[
            ['Votes', approval && <Text span size="sm" fw={550}>{stands(approval, now)}</Text>],
            ['Ends', approval?.status === 'pending' && <When at={approval.expires_at} />],
            ['Where', !runsNowhere(document) && <Targets of={document.targets} />],
            ['Way back', <WayBack key="way" of={document} />],
            ['Asked by', <AskedBy key="by" all={all} />],
            ['Why', intent && <Why all={all} />],
            denial
              ? ['Denied', <Denied key="denied" vote={denial} />]
              : [
                approval?.status === 'approved' ? 'Note' : 'Reason',
                approval?.reason && <Outside>{approval.reason}</Outside>,
              ],
          ]}
        />
      </Stack>
    </Section>
  )
}

/** What it does; an exception is said by what it is, not by the text that is approved. */
function Sentence({ all: { document, exception } }: { all: Everything }) {
  if (!runsNowhere(document) || !exception) return <Outside>{inOneSentence(document)}</Outside>
  return (
    <>
      {exception.finding_id ? 'A finding may stand' : <Broken of={exception} />} until{' '}
      {absolute(Date.parse(exception.expires_at))}, although {exception.finding_id && 'the code or '}a policy says
      otherwise: <Outside>{exception.reason}</Outside>
    </>
  )
}

/** Which policy may be broken, and by what. */
function Broken({ of: { policy_id: policy, resource_id: resource } }: { of: Schema<'ExceptionOut'> }) {
  const found = useQuery({
    ...get('/api/v1/provider-policies/{id}', { params: { path: { id: policy ?? '' } } }), enabled: !!policy, retry: false,
  })
  return (
    <>
      {policy ? <>The policy <Outside>{found.data?.name ?? policy}</Outside></> : 'Any policy of a provider’s'} may be broken
      by {resource ? <ThingName kind="resource" id={resource} /> : 'every resource'}
    </>
  )
}

const FEW = 4

function Targets({ of }: { of: Target[] }) {
  const list = (some: Target[]) => some.map((place, index) => (
    <span key={place.id}>
      {index > 0 && ', '}
      <Anchor component={Link} to={`/estate/${place.id}`} size="sm"><Outside>{place.name}</Outside></Anchor>
      <span className="faint"> {place.environment}</span>
    </span>
  ))
  if (of.length === 0) return <span>no target</span>
  if (of.length <= FEW) return <>{list(of)}</>
  return (
    <>
      {list(of.slice(0, FEW - 1))}
      <Fold title={`and ${count(of.length - FEW + 1, 'more target')}`}>{list(of.slice(FEW - 1))}</Fold>
    </>
  )
}

function WayBack({ of }: { of: PlanDocument }) {
  const { undone, final } = wayBack(of)
  if (runsNowhere(of)) return <span>nothing runs; what is asked for ends by itself</span>
  if (final.length === 0) return <span>{undone.length === 0 ? 'nothing is changed' : 'all of it can be undone'}</span>
  const none = undone.length === 0
  return (
    <Text span size="sm" fw={600} c="light-dark(var(--mantine-color-red-9), var(--mantine-color-red-4))">
      {none ? 'none: what it changes cannot be undone' : `in part: ${count(final.length, 'step')} cannot be undone`}
    </Text>
  )
}

const TRIGGERS: Record<string, string> = {
  manual: 'by hand',
  alert: 'by an alert',
  webhook: 'by another system',
  scheduled: 'by the clock',
}

function AskedBy({ all: { intent, approval } }: { all: Everything }) {
  const id = approval?.requester_id ?? intent?.requester_id
  if (!id) return null
  return (
    <>
      <ActorName id={id} name={approval?.requester_name} />
      {intent && <>, {TRIGGERS[intent.trigger] ?? words(intent.trigger)} <When at={intent.created_at} /></>}
    </>
  )
}

/** Who ended it, and why. */
function Denied({ vote }: { vote: Schema<'VoteOut'> }) {
  return (
    <>
      by <ActorName id={vote.actor_id} name={vote.display_name} /> <When at={vote.created_at} />
      {vote.note && <>: <Text span inherit fw={550}><Outside>{vote.note}</Outside></Text></>}
    </>
  )
}

function Why({ all }: { all: Everything }) {
  const { intent, remediation, exception } = all
  const ids = [intent?.finding_id, exception?.finding_id, ...(remediation?.finding_ids ?? [])]
    .filter((id): id is string => typeof id === 'string')
  const shown = [...new Set(ids)]
  return (
    <>
      {shown.slice(0, FEW).map((id) => <Finding key={id} id={id} />)}
      {shown.length > FEW && <div className="faint">and {count(shown.length - FEW, 'more finding')}</div>}
      {intent?.intent && !exception && <Outside>{intent.intent}</Outside>}
      {shown.length === 0 && !intent?.intent && <span className="faint">no reason was given</span>}
    </>
  )
}

function Finding({ id }: { id: string }) {
  const may = useMay('findings.read')
  const finding = useQuery({ ...get('/api/v1/findings/{id}', { params: { path: { id } } }), enabled: may })
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      {finding.data && <span style={{ flex: 'none' }}><Severity of={finding.data.severity} /></span>}
      <Anchor component={Link} to={`/findings/${id}`} size="sm">
        {finding.data ? <Outside>{finding.data.title}</Outside> : 'the finding'}
      </Anchor>
    </Group>
  )
}
