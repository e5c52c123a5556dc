import { Stack, Table, Text } from '@mantine/core'
import type { DecisionRecord } from '../../logic/decision'
import { stands } from '../../logic/ballot'
import { count } from '../../logic/words'
import { useAccount } from '../../app/session'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { useNow, When } from '../../parts/When'
import { Caption } from '../risk/Caption'
import { Facts } from '../risk/Facts'
import type { Approval } from './usePlan'

/** Who must agree, and who did. */
export function Votes({ approval, record }: { approval: Approval; record: DecisionRecord | undefined }) {
  const now = useNow()
  const account = useAccount()
  const called = (id: string) => {
    if (id === account.actor_id) return account.display_name
    if (id === record?.requester.id && record.requester.name) return record.requester.name
    return approval.votes.find((vote) => vote.actor_id === id)?.display_name
  }
  const person = (id: string) => {
    const name = called(id)
    const shown = name ? <Outside>{name}</Outside> : <span className="mono">{id}</span>
    return <>{shown}{id === account.actor_id && ' (you)'}</>
  }
  const needed = `${count(Math.max(1, approval.min_votes), 'vote')} of ${approval.roles.join(' or ')}`
  // Of what is low whoever wrote the plan may vote.
  const author = approval.author_id !== approval.requester_id && !['low', 'read'].includes(approval.tier)
  return (
    <Section title="Votes">
      <Stack gap="sm">
        <Text size="sm" fw={550}>{stands(approval, now)}</Text>
        <Facts
          of={[
            ['Needed', `${needed}; one denial ends it`],
            ['Asked for', <When key="asked" at={approval.created_at} />],
            ['Ends', <When key="ends" at={approval.expires_at} />],
            ['Decided', approval.decided_at && <When at={approval.decided_at} />],
            ['May not vote', (
              <>
                {person(approval.requester_id)}, who asked
                {author && <>; {person(approval.author_id)}, who wrote it</>}
              </>
            )],
            ['Alone', approval.alone && <>{person(approval.alone)}, under emergency authority, to be reviewed</>],
            [approval.status === 'approved' ? 'Note' : 'Reason', approval.reason && <Outside>{approval.reason}</Outside>],
          ]}
        />
        {approval.votes.length > 0 && (
          <Table captionSide="top" verticalSpacing={4}>
            <Caption>Votes so far</Caption>
            <Table.Tbody>
              {approval.votes.map((vote) => (
                <Table.Tr key={vote.actor_id}>
                  <Table.Th scope="row" fw={400}><Outside>{vote.display_name}</Outside></Table.Th>
                  <Table.Td><Status of={vote.decision} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Section>
  )
}
