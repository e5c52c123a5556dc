import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../../api/queries'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './findings.module.css'

/** The exceptions by which a finding stands, or was asked to. */
export function Exceptions({ id }: { id: string }) {
  const exceptions = useQuery(get('/api/v1/exceptions', { params: { query: { finding_id: [id], limit: 20 } } }))
  if (exceptions.data?.items.length === 0) return null
  return (
    <Section title="Leave to stand">
      <Loaded query={exceptions} rows={1}>{(page) => (
        <ul className={classes.plain}>
          {page.items.map((exception) => (
            <li key={exception.id} className={classes.item}>
              <Text><Outside>{exception.reason}</Outside></Text>
              <Group gap="sm" fz="sm" c="var(--faint)" className={classes.links}>
                <Status of={exception.status} />
                <span>asked <When at={exception.created_at} /></span>
                <span>ends <When at={exception.expires_at} /></span>
                {exception.approval_id && (
                  <Anchor size="sm" component={Link} to={`/approvals/${exception.approval_id}`}>The approval</Anchor>
                )}
              </Group>
            </li>
          ))}
        </ul>
      )}</Loaded>
    </Section>
  )
}
