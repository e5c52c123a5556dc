import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../../api/queries'
import { ActorName } from '../../parts/ActorName'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './Estate.module.css'

const MOST = 10

/** What was done to a resource: the executions that had a step there, the newest first. */
export function WhatWasDone({ id }: { id: string }) {
  const query = { resource_id: [id], limit: MOST }
  const found = useQuery(get('/api/v1/executions', { params: { query } }))
  const all = (
    <Anchor component={Link} to="/executions" search={{ resource: id } as never} size="sm">All executions on it</Anchor>
  )
  return (
    <Section title="What was done to it" aside={found.data?.has_next && all}>
      <Loaded query={found} rows={2}>
        {({ items, has_next }) => items.length === 0 ? (
          <Text size="sm" className="faint">No execution had a step on it.</Text>
        ) : (
          <>
            <ul className={classes.felt}>
              {items.map((execution) => (
                <li key={execution.id}>
                  <Group gap="sm" justify="space-between">
                    <Anchor component={Link} to={`/executions/${execution.id}`} size="sm">
                      <Outside>{execution.summary}</Outside>
                    </Anchor>
                    <Group gap="xs" fz="sm" c="var(--faint)">
                      <Status of={execution.state} />
                      <span>asked by <ActorName id={execution.initiated_by} /></span>
                      <When at={execution.created_at} />
                    </Group>
                  </Group>
                </li>
              ))}
            </ul>
            {has_next && <Text size="xs" className="faint">The newest {MOST}; there are more.</Text>}
          </>
        )}
      </Loaded>
    </Section>
  )
}
