import { Anchor, Group, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get, pages } from '../../api/queries'
import { apart, span } from '../../logic/apart'
import { readEvent } from '../../logic/driftFacts'
import { asRecord, asText } from '../../logic/loose'
import { Severity } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { useAll } from '../../parts/useAll'
import { When } from '../../parts/When'
import { Bar, percent } from './Bits'
import classes from './findings.module.css'
import { Strip } from './Strip'

type Correlation = Schema<'CorrelationOut'>

/** What happened around a finding and belongs to it, from the earliest to the latest. */
export function Surroundings({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const found = useInfiniteQuery(pages('/api/v1/correlations', { finding_id: [finding.id] }, 100))
  const { data: items = [], more } = useAll(found)
  const offset = (one: Correlation) => one.temporal_offset ?? 0
  const sorted = [...items].sort((one, other) => offset(one) - offset(other))
  return (
    <Section title="What happened around it">
      <Loaded query={found} rows={3}>{() => sorted.length === 0
        ? (
          <Text size="sm" className="faint">
            Nothing was told that belongs to it: no change, no deployment, no incident, no alert.
          </Text>
        )
        : (
          <>
            <Strip
              events={sorted.map((one) => ({
                id: one.id, seconds: offset(one), score: one.correlation_score ?? 0, name: kind(one.correlation_type),
              }))}
            />
            <ol className={classes.times} aria-label="What happened around it, in the order of time">
              {sorted.filter((one) => offset(one) < 0).map((one) => <Event key={one.id} one={one} />)}
              <li className={classes.time} data-self>
                <Text size="sm" fw={600}><When at={finding.began_at} /></Text>
                <Text size="sm" fw={600}>This finding began</Text>
              </li>
              {sorted.filter((one) => offset(one) >= 0).map((one) => <Event key={one.id} one={one} />)}
            </ol>
            {more && <Text size="sm" className="faint">There is more than is shown.</Text>}
          </>
        )}</Loaded>
      <Contexts id={finding.id} />
    </Section>
  )
}

const kind = (word: string) => word.replaceAll('_', ' ')

/** What is known here by its id: a finding or an execution of ours. */
function ownPage(id: string): { to: string; name: string } | undefined {
  if (/^fnd_[0-9a-f-]{36}$/.test(id)) return { to: `/findings/${id}`, name: 'the finding' }
  if (/^exe_[0-9a-f-]{36}$/.test(id)) return { to: `/executions/${id}`, name: 'the execution' }
  return undefined
}

function Event({ one }: { one: Correlation }) {
  const event = readEvent(one.event_data)
  const own = ownPage(one.external_id)
  return (
    <li className={classes.time}>
      <div>
        <Text size="sm" fw={550}>
          {typeof one.temporal_offset === 'number' ? apart(one.temporal_offset) : 'at a time nobody knows'}
        </Text>
        {event.at && <Text size="xs" className="faint"><When at={event.at} /></Text>}
      </div>
      <div>
        <Group gap="sm">
          <Text size="sm" fw={550}>{kind(one.correlation_type)}</Text>
          {event.severity && <Severity of={event.severity} />}
          {event.during && <Text size="sm">was going on then</Text>}
        </Group>
        {event.summary && <Text size="sm"><Outside>{event.summary}</Outside></Text>}
        <Text size="sm" className="faint" component="div">
          {event.actor && <>by <Outside>{event.actor}</Outside>, </>}
          <Outside>{one.external_system}</Outside>{' '}
          {own
            ? <Anchor size="sm" component={Link} to={own.to}>{own.name}</Anchor>
            : <Outside mono>{one.external_id}</Outside>}
        </Text>
        <Group gap="xs" fz="sm" c="var(--faint)">
          <span>belongs to it with {percent(one.correlation_score)}</span>
          {typeof one.correlation_score === 'number' && (
            <div style={{ width: 90 }}><Bar share={one.correlation_score} /></div>
          )}
          {event.matched.length > 0 && <span>same {event.matched.map(kind).join(', ')}</span>}
        </Group>
      </div>
    </li>
  )
}

/** What was going on at the time: incidents, deployments, maintenance, events of security. */
function Contexts({ id }: { id: string }) {
  const found = useQuery(get('/api/v1/operational-contexts', { params: { query: { finding_id: [id], limit: 50 } } }))
  if (found.data?.items.length === 0) return null
  return (
    <>
      <Text component="h3" fw={650} mt="md" mb={4}>What was going on</Text>
      <Loaded query={found} rows={1}>{(page) => (
        <ul className={classes.plain}>
          {page.items.map((one) => <Context key={one.id} one={one} />)}
        </ul>
      )}</Loaded>
    </>
  )
}

function Context({ one }: { one: Schema<'OperationalContextOut'> }) {
  const data = asRecord(one.context_data)
  const [system, name] = [asText(data.external_system), asText(data.external_id)]
  const own = name && ownPage(name)
  return (
    <li className={classes.item}>
      <Group gap="sm" fz="sm">
        <Text size="sm" fw={550}>{kind(one.context_type)}</Text>
        {system && <Outside>{system}</Outside>}
        {own
          ? <Anchor size="sm" component={Link} to={own.to}>{own.name}</Anchor>
          : name && <Outside mono>{name}</Outside>}
        {one.incident_impact && <span>impact: {one.incident_impact}</span>}
        {data.during === true && <span>lasted at that moment</span>}
        {typeof one.time_window === 'number' && one.time_window > 0 && (
          <span className="faint">finding and event lie within {span(one.time_window)}</span>
        )}
      </Group>
    </li>
  )
}
