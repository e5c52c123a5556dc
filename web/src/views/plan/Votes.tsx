import { Group, Stack, Table, Text } from '@mantine/core'
import { stands } from '../../logic/ballot'
import { count } from '../../logic/words'
import { useAccount } from '../../app/session'
import type { Schema } from '../../api/client'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { useNow, When } from '../../parts/When'
import { Caption } from '../risk/Caption'
import { Facts } from '../risk/Facts'
import type { Approval } from './usePlan'

/** Who must agree, who did, and what they wrote with it. */
export function Votes({ approval }: { approval: Approval }) {
  const now = useNow()
  const account = useAccount()
  const person = (id: string, name: string | null | undefined) => (
    <>{name ? <Outside>{name}</Outside> : <span className="mono">{id}</span>}{id === account.actor_id && ' (you)'}</>
  )
  const needed = `${count(Math.max(1, approval.min_votes), 'vote')} of ${approval.roles.join(' or ')}`
  // Of what is low whoever wrote the plan may vote.
  const author = approval.author_id !== approval.requester_id && !['low', 'read'].includes(approval.tier)
  // A vote that decides gives its note as the reason: it stands with the vote.
  const said = approval.votes.some((vote) => vote.note === approval.reason)
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
                {person(approval.requester_id, approval.requester_name)}, who asked
                {author && <>; {person(approval.author_id, approval.author_name)}, who wrote it</>}
              </>
            )],
            ['Alone', approval.alone && (
              <>{person(approval.alone, approval.alone_name)}, under emergency authority, to be reviewed</>
            )],
            ['Reason', !said && approval.reason && <Outside>{approval.reason}</Outside>],
          ]}
        />
        {approval.votes.length > 0 && (
          <Table captionSide="top" verticalSpacing={6}>
            <Caption>Votes so far</Caption>
            <Table.Tbody>
              {approval.votes.map((vote) => (
                <Table.Tr key={vote.actor_id} style={{ verticalAlign: 'top' }}>
                  <Table.Th scope="row" fw={400}>{person(vote.actor_id, vote.display_name)}</Table.Th>
                  <Table.Td><Said vote={vote} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Section>
  )
}

const DOORS: Record<string, string> = {
  ui: 'in the console', cli: 'on the command line', api: 'over the API', slack: 'in Slack', linear: 'in Linear',
}

/** A vote, when and where it was cast, and why in the voter's words. */
function Said({ vote }: { vote: Schema<'VoteOut'> }) {
  return (
    <Stack gap={2}>
      <Group gap="xs">
        <Status of={vote.decision} />
        <Text size="sm" className="faint" component="div">
          <When at={vote.created_at} /> {DOORS[vote.source] ?? vote.source}
        </Text>
      </Group>
      {vote.note
        ? <Text size="sm" fw={vote.decision === 'deny' ? 550 : undefined}><Outside>{vote.note}</Outside></Text>
        : <Text size="sm" className="faint">without a word</Text>}
    </Stack>
  )
}
