import { Anchor, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { readMemory, readRecord, type DecisionRecord } from '../../logic/decision'
import { Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { BY } from './by'
import { Context } from './Context'
import { Facts } from './Facts'
import { RiskOf, Why, WouldDiffer } from './Judged'
import { Memory } from './Memory'
import { Recompute } from './Recompute'
import { Signed } from './Signed'

/** A decision as it was signed: the verdict, everything it rests on, and whether it can be made again. */
export function Decision() {
  const { id } = useParams({ strict: false }) as { id: string }
  const decision = useQuery(get('/api/v1/decisions/{id}', { params: { path: { id } } }))
  return <Loaded query={decision} rows={8}>{(found) => <Shown decision={found} />}</Loaded>
}

const SAYS: Record<string, string> = {
  allow: 'It may run.',
  require_approval: 'It may run once it is approved.',
  deny: 'It may not run.',
}

function Shown({ decision }: { decision: Schema<'DecisionOut'> }) {
  const record = readRecord(decision.record)
  const intent = useQuery(get('/api/v1/intents/{id}', { params: { path: { id: decision.intent_id } } }))
  return (
    <Page
      title={intent.data ? <Outside>{intent.data.summary}</Outside> : 'Decision'}
      about={<>Decided <When at={decision.created_at} /> · <span className="mono">{decision.id}</span></>}
    >
      <Section title="The decision">
        <Stack gap="sm">
          <Group gap="sm">
            <Status of={decision.verdict} />
            <Tier of={decision.tier} />
            <Text fw={650}>{SAYS[decision.verdict] ?? decision.verdict}</Text>
          </Group>
          <Rests decision={decision} record={record} intent={intent.data} />
        </Stack>
      </Section>
      <Why title="Why" of={decision} />
      <Section title="Risk"><Stack gap="md"><RiskOf of={decision} record={record} /></Stack></Section>
      <WouldDiffer of={decision} />
      <Section title="What it was judged by">
        <Stack gap="md">
          <Context record={record} />
          <Memory memory={readMemory(decision.memory)} purpose={decision.purpose} />
        </Stack>
      </Section>
      <Recompute id={decision.id} />
      <Signed decision={decision} />
    </Page>
  )
}

interface RestsProps {
  decision: Schema<'DecisionOut'>
  record: DecisionRecord
  intent: Schema<'IntentOut'> | undefined
}

const PURPOSES: Record<string, string> = {
  advice: 'advice: an outside system acts, nothing is started here',
  change: 'a change that is carried out here',
}

const To = ({ at, children }: { at: string; children: ReactNode }) => (
  <Anchor component={Link} to={at} size="sm">{children}</Anchor>
)

/** Who asked, and where it led. */
function Rests({ decision, record, intent }: RestsProps) {
  const [asked, came] = [{ decision_id: [decision.id], limit: 1 }, { intent_id: [decision.intent_id], limit: 1 }]
  const approvals = useQuery(get('/api/v1/approvals', { params: { query: asked } }))
  const outcomes = useQuery(get('/api/v1/outcomes', { params: { query: came } }))
  const approval = approvals.data?.items[0]
  const outcome = outcomes.data?.items[0]
  return (
    <Facts
      of={[
        ['Asked by', record.requester.name && (
          <><Outside>{record.requester.name}</Outside> ({record.requester.type})</>
        )],
        ['For', PURPOSES[decision.purpose] ?? decision.purpose],
        ['Runbook', intent?.runbook_id && (
          <To at={`/runbooks/${intent.runbook_id}`}><Outside>{record.runbook ?? 'the runbook'}</Outside></To>
        )],
        ['Finding', intent?.finding_id && <To at={`/findings/${intent.finding_id}`}>What set it off</To>],
        ['Plan', decision.plan_id && <To at={`/plans/${decision.plan_id}`}>The plan decided on</To>],
        ['Approval', approval && (
          <Group gap="xs" component="span">
            <To at={`/approvals/${approval.id}`}>The approval it asked for</To>
            <Status of={approval.status} />
          </Group>
        )],
        ['Outcome', outcome && (
          <>
            {outcome.success ? 'It worked' : 'It did not work'}, verified
            by {BY[outcome.verified_by] ?? outcome.verified_by}{' '}
            <When at={outcome.recorded_at} />
            {outcome.execution_id && <> · <To at={`/executions/${outcome.execution_id}`}>the execution</To></>}
          </>
        )],
        ['Own name', decision.deterministic_id && <Outside mono>{decision.deterministic_id}</Outside>],
        ['Asked with', decision.trace_id && <span className="mono">{decision.trace_id}</span>],
      ]}
    />
  )
}
