import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../../api/queries'
import { Severity } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './Estate.module.css'

const MOST = 50

/** What is open on a resource, the worst first. */
export function OpenFindings({ id }: { id: string }) {
  const query = { resource_id: [id], status: ['open'], sort: '-severity_rank' as const, limit: MOST }
  const found = useQuery(get('/api/v1/findings', { params: { query } }))
  return (
    <Section title="Open findings">
      <Loaded query={found} rows={2}>
        {({ items, has_next }) => items.length === 0 ? (
          <Text size="sm" className="faint">Nothing is open on it.</Text>
        ) : (
          <>
            <ul className={classes.felt}>
              {items.map((finding) => (
                <li key={finding.id}>
                  <Group gap="sm" justify="space-between">
                    <Anchor component={Link} to={`/findings/${finding.id}`} size="sm">
                      <Outside>{finding.title}</Outside>
                    </Anchor>
                    <Group gap="xs" fz="sm" c="var(--faint)">
                      <Severity of={finding.severity} score={finding.severity_score} />
                      {finding.kind} <When at={finding.first_seen} />
                    </Group>
                  </Group>
                </li>
              ))}
            </ul>
            {has_next && <Text size="xs" className="faint">The worst {MOST}; there are more.</Text>}
          </>
        )}
      </Loaded>
    </Section>
  )
}
