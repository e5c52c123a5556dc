import { Alert, Anchor, Group, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useAccount, useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { useTouch } from '../../parts/useTouch'
import { useNow, When } from '../../parts/When'
import { Review } from './Review'
import { TakeAuthority } from './TakeAuthority'

type Taken = Schema<'BreakGlassOut'>

const inForce = (taken: Taken, now: number) => !taken.ended_at && Date.parse(taken.expires_at) > now

/** Emergency authority: taken with a reason, given back, and reviewed by somebody else. */
export function BreakGlass() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/break-glass', {}, 100)))
  const account = useAccount()
  const now = useNow()
  const rows = all.data ?? []
  const own = rows.find((taken) => taken.actor_id === account.actor_id && inForce(taken, now))
  const unreviewed = rows.find((taken) => taken.actor_id === account.actor_id && taken.review === 'open')
  return (
    <Section title="Emergency authority" aside={all.data && <TakeAuthority unreviewed={unreviewed !== undefined} />}>
      <Stack gap="sm">
        <Text size="sm" className="faint">
          Whoever breaks the glass may approve alone, for a while, what others would have to approve. It replaces their
          votes and nothing else: policy, windows, limits and breakers hold, and somebody else reviews it.
        </Text>
        {own && <Own taken={own} />}
        <Loaded query={all} rows={3}>
          {(found) => found.length === 0
            ? <Empty title="The glass was never broken">Nobody ever took emergency authority here.</Empty>
            : <PlainTable label="Emergency authority" columns={columns} rows={found} id={(taken) => taken.id} />}
        </Loaded>
      </Stack>
    </Section>
  )
}

function Own({ taken }: { taken: Taken }) {
  const touch = useTouch()
  return (
    <Alert
      color="orange" variant="light" title="You hold emergency authority"
      styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm" component="div">
          It ends <When at={taken.expires_at} />. What you approve with it, you approve alone.
        </Text>
        <Sure
          label="Give it back" title="Give emergency authority back?"
          act={() =>
            api.POST('/api/v1/break-glass/{id}/end', { params: { path: { id: taken.id } } })
              .then(() => touch('break-glass'))}
        >
          You vote as before from now on. Approvals you gave stay given, and the review stays open.
        </Sure>
      </Group>
    </Alert>
  )
}

const columns: PlainColumn<Taken>[] = [
  { name: 'Who', cell: (taken) => <ActorName id={taken.actor_id} /> },
  { name: 'Why', cell: (taken) => <Outside>{taken.reason}</Outside> },
  { name: 'Taken', cell: (taken) => <When at={taken.started_at} /> },
  { name: 'Until', cell: (taken) => <Until taken={taken} /> },
  {
    name: 'Approved alone',
    cell: (taken) => taken.approvals.length === 0 ? <span className="faint">nothing</span> : (
      <Stack gap={2}>
        {taken.approvals.map((id, at) => (
          <Anchor key={id} component={Link} to={`/approvals/${id}`} size="sm">approval {at + 1}</Anchor>
        ))}
      </Stack>
    ),
  },
  { name: 'Review', cell: (taken) => <ReviewOf taken={taken} /> },
]

function Until({ taken }: { taken: Taken }) {
  const now = useNow()
  if (taken.ended_at) return <>ended <When at={taken.ended_at} /></>
  return inForce(taken, now)
    ? <><Tone of="orange">in force</Tone> ends <When at={taken.expires_at} /></>
    : <>ended <When at={taken.expires_at} /></>
}

function ReviewOf({ taken }: { taken: Taken }) {
  const account = useAccount()
  const may = useMay('break_glass.review')
  if (taken.review === 'open') {
    const own = taken.actor_id === account.actor_id
    const why = own ? 'Somebody else reviews what you took.' : may ? undefined : needed('break_glass.review')
    return <Review id={taken.id} why={why} />
  }
  return (
    <Stack gap={2}>
      <Group gap={4}>
        <Tone of={taken.verdict === 'justified' ? 'green' : 'red'}>
          {(taken.verdict ?? 'closed').replaceAll('_', ' ')}
        </Tone>
        <Text size="xs" component="div">by <ActorName id={taken.reviewed_by} /> <When at={taken.reviewed_at} /></Text>
      </Group>
      {taken.notes && <Text size="sm" component="div"><Outside>{taken.notes}</Outside></Text>}
    </Stack>
  )
}
