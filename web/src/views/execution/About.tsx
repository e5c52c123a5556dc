import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Facts } from '../../parts/Facts'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { ThingName } from '../../parts/ThingName'
import { When } from '../../parts/When'

type Execution = Schema<'ExecutionDetail'>

const MODES: Record<string, string> = {
  auto: 'auto: it starts by itself where the gate allows it',
  semi_auto: 'semi-auto: a person approves',
  manual: 'manual: a person starts it',
}

/** What this execution is: from what it came, by what it was let through, what came of it. */
export function About({ execution }: { execution: Execution }) {
  const mayAudit = useMay('audit.read')
  const intent = useQuery(get('/api/v1/intents/{id}', { params: { path: { id: execution.intent_id } } }))
  const targets = new Map(execution.steps.map((step) => [step.resource_id, step.target]))
  return (
    <Section title="What and why">
      <Facts
        facts={[
          ['Runbook', execution.runbook_id ? <Runbook key="runbook" execution={execution} /> : 'none'],
          execution.finding_id && ['Answers', <ThingName key="finding" kind="finding" id={execution.finding_id} />],
          ['Intent', intent.data
            ? <Outside key="intent">{intent.data.intent || intent.data.summary}</Outside>
            : <Mono key="intent">{execution.intent_id}</Mono>],
          ['Asked by', <><ActorName id={execution.initiated_by} /> <When at={execution.created_at} /></>],
          ['Let through by', <Through key="through" execution={execution} />],
          targets.size > 0 && ['Runs on', <Targets key="targets" targets={targets} />],
          ['Mode', MODES[execution.mode] ?? execution.mode],
          ['Started', execution.started_at ? <When key="started" at={execution.started_at} /> : 'not yet'],
          execution.completed_at && ['Ended', <Ended key="ended" execution={execution} />],
          ['What came of it', <CameOf key="came" execution={execution} />],
          mayAudit && ['Log', (
            <To key="log" to="/audit" search={{ target_type: 'execution', target_id: execution.id }}>
              what the signed log has of it
            </To>
          )],
          ['Id', <Mono key="id">{execution.id}</Mono>],
        ]}
      />
    </Section>
  )
}

function To({ to, search, children }: { to: string; search?: Record<string, string>; children: ReactNode }) {
  return <Anchor component={Link} to={to} search={search as never} size="sm">{children}</Anchor>
}

function Mono({ children }: { children: string }) {
  return <span className="mono">{children}</span>
}

function Runbook({ execution }: { execution: Execution }) {
  return (
    <>
      <ThingName kind="runbook" id={execution.runbook_id ?? ''} />
      {typeof execution.runbook_version === 'number' && `, version ${execution.runbook_version}`}
    </>
  )
}

function Ended({ execution: { completed_at: at, duration_ms: took } }: { execution: Execution }) {
  return <><When at={at} />{typeof took === 'number' && `, after ${duration(took)}`}</>
}

function Through({ execution }: { execution: Execution }) {
  return (
    <>
      the <To to={`/decisions/${execution.decision_id}`}>decision</To> about the{' '}
      <To to={`/plans/${execution.plan_id}`}>plan</To>
      {execution.approval_id && <> and its <To to={`/approvals/${execution.approval_id}`}>approval</To></>}
    </>
  )
}

const FEW = 6

function Targets({ targets }: { targets: ReadonlyMap<string, string> }) {
  const all = [...targets]
  return (
    <>
      {all.slice(0, FEW).map(([id, name], at) => (
        <span key={id}>
          {at > 0 && ', '}
          <Anchor component={Link} to={`/estate/${id}`} size="sm"><Outside>{name}</Outside></Anchor>
        </span>
      ))}
      {all.length > FEW && ` and ${count(all.length - FEW, 'more', 'more')}`}
    </>
  )
}

/** The outcome that was recorded, and whether anybody but the execution itself has looked. */
function CameOf({ execution }: { execution: Execution }) {
  const outcomes = useQuery(get('/api/v1/outcomes', { params: { query: { execution_id: [execution.id], limit: 5 } } }))
  const items = outcomes.data?.items ?? []
  if (outcomes.error) return <Text span size="sm" className="faint">cannot be read just now</Text>
  if (items.length === 0) return <span className="faint">nothing recorded yet</span>
  return (
    <>
      {items.map((outcome) => (
        <div key={outcome.id}>
          <Status of={outcome.success ? 'succeeded' : 'failed'} />{' '}
          {outcome.verified ? `verified by ${outcome.verified_by}` : 'not verified'} <When at={outcome.recorded_at} />
          {outcome.notes && <>: <Outside>{outcome.notes}</Outside></>}
        </div>
      ))}
    </>
  )
}
