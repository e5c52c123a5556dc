import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../../api/queries'
import { Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Empty, Loaded } from '../../parts/State'
import { Colleague } from './SendAlert'

/** What became of the alert: a request that waits for a vote, and then what runs. */
export function SeeItRun() {
  const executions = useQuery(get('/api/v1/executions', { params: { query: { limit: 5 } } }))
  return (
    <>
      <Colleague />
      <Text size="sm" mt="xs" maw={680}>
        The alert became a plan, and the gate judged it. If it waits for a vote, the second person finds it in their inbox; open it
        here too, and watch what happens when they approve.
      </Text>
      <Loaded query={executions} rows={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing was asked for yet">The alert is being looked at; its finding says which triggers matched and why others did not.</Empty>
          ) : (
            items.map((execution) => (
              <Group key={execution.id} gap="sm" mt="xs">
                <Status of={execution.state} />
                <Anchor component={Link} to={`/executions/${execution.id}`}><Outside>{execution.summary}</Outside></Anchor>
                {execution.approval_id && <Waiting approval={execution.approval_id} />}
              </Group>
            ))
          )
        }
      </Loaded>
    </>
  )
}

function Waiting({ approval }: { approval: string }) {
  const asked = useQuery(get('/api/v1/approvals/{id}', { params: { path: { id: approval } } }))
  if (!asked.data) return null
  return (
    <>
      <Tier of={asked.data.tier} />
      <Anchor component={Link} to={`/approvals/${approval}`}>Its approval: {asked.data.status}</Anchor>
    </>
  )
}
