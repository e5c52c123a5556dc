import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './findings.module.css'

/** Requests a finding is looked at for; a finding with more has a runbook that is asked for over and over. */
const MOST = 50

/** What was asked for because of a finding: each intent with its executions and approvals. */
export function CameOfIt({ id }: { id: string }) {
  const intents = useQuery(get('/api/v1/intents', { params: { query: { finding_id: [id], limit: MOST } } }))
  const ids = (intents.data?.items ?? []).map((intent) => intent.id)
  const any = ids.length > 0
  const executions = useQuery(get('/api/v1/executions', { params: { query: { finding_id: [id], limit: 100 } } }))
  const approvals = useQuery({
    ...get('/api/v1/approvals', { params: { query: { intent_id: ids, limit: 100 } } }), enabled: any,
  })
  if (intents.data?.items.length === 0) return null
  return (
    <Section title="What came of it">
      <Loaded query={intents} rows={2}>{(page) => (
        <ul className={classes.plain}>
          {page.items.map((intent) => (
            <Asked
              key={intent.id}
              intent={intent}
              executions={(executions.data?.items ?? []).filter((one) => one.intent_id === intent.id)}
              approvals={(approvals.data?.items ?? []).filter((one) => one.intent_id === intent.id)}
            />
          ))}
        </ul>
      )}</Loaded>
      {any && <Loaded query={executions} rows={1}>{() => null}</Loaded>}
      {any && <Loaded query={approvals} rows={1}>{() => null}</Loaded>}
      {intents.data?.has_next && (
        <Text size="sm" className="faint">These are the newest {MOST} requests; there are more.</Text>
      )}
    </Section>
  )
}

const DOORS: Record<string, string> = {
  alert: 'asked for by a trigger', manual: 'asked for by a person', webhook: 'asked for by another system',
  scheduled: 'asked for by a schedule',
}

interface AskedProps {
  intent: Schema<'IntentOut'>
  executions: Schema<'ExecutionOut'>[]
  approvals: Schema<'ApprovalOut'>[]
}

function Asked({ intent, executions, approvals }: AskedProps) {
  return (
    <li className={classes.item}>
      <Group justify="space-between" gap="xs">
        <Text fw={550}><Outside>{intent.summary}</Outside></Text>
        <Group gap="sm" fz="sm" c="var(--faint)">
          <span>{DOORS[intent.trigger] ?? intent.trigger}</span>
          <When at={intent.created_at} />
          <Status of={intent.status} />
        </Group>
      </Group>
      <Group gap="lg" fz="sm" className={classes.links}>
        {intent.decision_id && (
          <Anchor size="sm" component={Link} to={`/decisions/${intent.decision_id}`}>The decision</Anchor>
        )}
        {approvals.map((approval) => (
          <span key={approval.id} style={{ gap: 6 }}>
            <Anchor size="sm" component={Link} to={`/approvals/${approval.id}`}>The approval</Anchor>
            <Tier of={approval.tier} />
            <Status of={approval.status} />
          </span>
        ))}
        {executions.map((execution) => (
          <span key={execution.id} style={{ gap: 6 }}>
            <Anchor size="sm" component={Link} to={`/executions/${execution.id}`}>The execution</Anchor>
            <Status of={execution.state} />
            {execution.error_message && <Outside>{execution.error_message}</Outside>}
          </span>
        ))}
      </Group>
    </li>
  )
}
