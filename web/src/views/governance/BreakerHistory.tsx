import { Anchor, Group, Stack, Text, Timeline } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { words } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { Scope, type Breaker } from './BreakerScope'

const MOST = 50

/** What became of a breaker: what the log says of it, and the last runs it counted. */
export function BreakerHistory({ breaker }: { breaker: Breaker }) {
  const may = useMay('audit.read')
  return (
    <Section title={<>History of <Scope breaker={breaker} /></>}>
      <Stack gap="md">
        <Group gap="lg">
          <Fact name="Last failure"><When at={breaker.last_failure_at} /></Fact>
          <Fact name="Last opened"><When at={breaker.opened_at} /></Fact>
          <Fact name="Last on trial"><When at={breaker.half_open_at} /></Fact>
          <Fact name="Last changed"><When at={breaker.updated_at} /></Fact>
        </Group>
        {may ? <Logged breaker={breaker} /> : (
          <Text size="sm" className="faint">Who opened and closed it stands in the log. {needed('audit.read')}</Text>
        )}
        {breaker.scope === 'runbook' && <Runs runbook={breaker.scope_id} />}
      </Stack>
    </Section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><Text size="xs" className="faint">{name}</Text><Text size="sm" component="div">{children}</Text></div>
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

function Logged({ breaker }: { breaker: Breaker }) {
  const events = useQuery(
    get('/api/v1/audit/events', { params: { query: { target_type: 'breaker', target_id: breaker.id, limit: MOST } } }),
  )
  return (
    <div>
      <Text size="sm" fw={600} mb="xs">In the log</Text>
      <Loaded query={events} rows={3}>
        {({ items, has_next: more }) => items.length === 0
          ? <Text size="sm" className="faint">It never changed its state, and nobody touched it.</Text>
          : (
            <Timeline bulletSize={12} lineWidth={2}>
              {items.map(({ id, event }) => {
                const context = field(event, 'context')
                const reason = text(field(context, 'reason'))
                const from = text(field(context, 'from'))
                const who = text(field(field(event, 'actor'), 'id'))
                return (
                  <Timeline.Item key={id}>
                    <Anchor component={Link} to={`/audit/${id}`} size="sm">
                      {words(text(field(event, 'action')) ?? 'event')}
                    </Anchor>
                    <Text size="sm" component="div">
                      <When at={text(field(event, 'occurred_at'))} /> by <ActorName id={who} />
                      {from && `, was ${from.replaceAll('_', ' ')}`}
                    </Text>
                    {reason && <Text size="sm" component="div"><Outside>{reason}</Outside></Text>}
                  </Timeline.Item>
                )
              })}
              {more && <Text size="sm" className="faint">Older events stand in the audit log.</Text>}
            </Timeline>
          )}
      </Loaded>
    </div>
  )
}

function Runs({ runbook }: { runbook: string }) {
  const runs = useQuery(
    get('/api/v1/executions', { params: { query: { runbook_id: [runbook], sort: '-created_at', limit: 10 } } }),
  )
  return (
    <div>
      <Text size="sm" fw={600} mb="xs">Its last runs</Text>
      <Loaded query={runs} rows={3}>
        {({ items }) => items.length === 0 ? <Text size="sm" className="faint">It never ran.</Text> : (
          <Stack gap={6} component="ul" m={0} pl="md">
            {items.map((run) => (
              <li key={run.id}>
                <Group gap="xs">
                  <Status of={run.state} />
                  <Anchor component={Link} to={`/executions/${run.id}`} size="sm">
                    <Outside>{run.summary}</Outside>
                  </Anchor>
                  <Text size="sm" className="faint"><When at={run.completed_at ?? run.created_at} /></Text>
                </Group>
              </li>
            ))}
          </Stack>
        )}
      </Loaded>
    </div>
  )
}
