import { Anchor, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { IconCircle, IconCircleCheck, IconCircleX, IconProgress } from '@tabler/icons-react'
import type { Schema } from '../../../api/client'
import { get } from '../../../api/queries'
import { asRecord, asText } from '../../../logic/loose'
import { remedyName, remedySaid, remedySteps, type RemedyStand, type RemedyStep } from '../../../logic/remedySteps'
import { ActorName } from '../../../parts/ActorName'
import { Status } from '../../../parts/Marks'
import { Outside } from '../../../parts/Outside'
import { Section } from '../../../parts/Section'
import { Loaded } from '../../../parts/State'
import { When } from '../../../parts/When'
import shared from '../findings.module.css'

/** Remediations of a finding that are shown; each was asked for by a person. */
const MOST = 50

/** How far the remediations of a finding are, live, the newest first. */
export function Remediations({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const query = { finding_id: [finding.id], limit: MOST }
  const found = useQuery(get('/api/v1/remediations', { params: { query } }))
  if (found.data?.items.length === 0) return null
  return (
    <Section title="Putting it right">
      <Loaded query={found} rows={2}>{({ items, has_next }) => (
        <>
          <ul className={shared.plain}>{items.map((one) => <Remediation key={one.id} one={one} />)}</ul>
          {has_next && <Text size="sm" className="faint">These are the newest {MOST}; there are more.</Text>}
        </>
      )}</Loaded>
    </Section>
  )
}

function Remediation({ one }: { one: Schema<'RemediedOut'> }) {
  const summary = asText(asRecord(one.prepared).SUMMARY)
  return (
    <li className={shared.item}>
      <Stack gap={4}>
        <Group justify="space-between" gap="xs">
          <Group gap="sm"><Text fw={600}>{remedyName(one.kind)}</Text><Status of={one.state} /></Group>
          <Text size="sm" className="faint">
            asked by <ActorName id={one.requested_by} /> <When at={one.created_at} />, moved{' '}
            <When at={one.updated_at} />
          </Text>
        </Group>
        <Text size="sm" role="status">{remedySaid(one.state)}</Text>
        {one.error && <Text size="sm" c="red"><Outside>{one.error}</Outside></Text>}
        {summary && <Text size="sm">What would change: <Outside>{summary}</Outside></Text>}
        {one.reason && <Text size="sm">Why: <Outside>{one.reason}</Outside></Text>}
        {one.finding_ids.length > 1 && (
          <Text size="sm" className="faint">It is about {one.finding_ids.length} findings of one source.</Text>
        )}
        <ol className={shared.steps}>
          {remedySteps(one).map((step) => <Step key={step.name} step={step} />)}
        </ol>
      </Stack>
    </li>
  )
}

const ICONS: Record<RemedyStand, { icon: typeof IconCircle; color: string; word: string }> = {
  done: { icon: IconCircleCheck, color: 'var(--mantine-color-green-text)', word: 'done' },
  now: { icon: IconProgress, color: 'var(--mantine-color-blue-text)', word: 'now' },
  later: { icon: IconCircle, color: 'var(--faint)', word: 'later' },
  failed: { icon: IconCircleX, color: 'var(--mantine-color-red-text)', word: 'failed' },
}

function Step({ step }: { step: RemedyStep }) {
  const { icon: Icon, color, word } = ICONS[step.stand]
  return (
    <li>
      <Icon size={18} color={color} aria-hidden />
      <span>{step.name} <span className="faint">({word})</span></span>
      {step.execution && <Run id={step.execution} />}
    </li>
  )
}

/** The execution of a step: where it stands, and the approval it waits for. */
function Run({ id }: { id: string }) {
  const found = useQuery(get('/api/v1/executions/{id}', { params: { path: { id } } }))
  const execution = found.data
  return (
    <Group gap="xs" fz="sm" className={shared.links}>
      <Anchor size="sm" component={Link} to={`/executions/${id}`}>execution</Anchor>
      {execution && <Status of={execution.state} />}
      {execution?.approval_id && execution.state === 'awaiting_approval' && (
        <Anchor size="sm" component={Link} to={`/approvals/${execution.approval_id}`}>waits for its approval</Anchor>
      )}
    </Group>
  )
}
