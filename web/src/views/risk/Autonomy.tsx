import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { beyond, distance, type Limits, type Outcomes } from '../../logic/autonomy'
import { percent } from '../../logic/decision'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { Tone } from '../../parts/Tone'
import { When } from '../../parts/When'
import type { Belief } from './beliefs'
import { Facts } from './Facts'

type Earned = Schema<'EarnedOut'>

/** What outcomes of a category have earned, and what is missing until its changes may run unasked. */
export function Autonomy({ belief }: { belief: Belief }) {
  const { category } = belief
  const query = useQuery(get('/api/v1/autonomy', { params: { query: { category } } }))
  return (
    <Section title={<>Autonomy earned so far: {category}</>}>
      <Stack gap="md">
        <Facts
          of={[
            ['Verified here', both(belief.outcomes)],
            ['Only reported', belief.reported.successes + belief.reported.failures > 0
              && `${both(belief.reported)}: they teach advice alone`],
          ]}
        />
        <Loaded query={query} rows={4}>
          {({ limits, items, more }) => (
            <>
              <Rule limits={limits} />
              {items.length === 0
                ? <Empty title={`No change of ${category} has a verified outcome yet`} />
                : <Kinds items={items} limits={limits} />}
              {more && <Text size="sm" className="faint">There are more: these were seen last.</Text>}
            </>
          )}
        </Loaded>
      </Stack>
    </Section>
  )
}

const both = ({ successes, failures }: Outcomes) =>
  `${count(successes, 'success', 'successes')}, ${count(failures, 'failure')}`

function Rule({ limits }: { limits: Limits }) {
  return (
    <Text size="sm">
      A change runs unasked when each of its actions has earned it in each class of environment it touches, by its
      own verified outcomes: at least {limits.min_successes} successes, and a failure rate that lies
      below {percent(limits.max_failure_bound)} with {percent(limits.certainty, 0)} certainty. It can be earned up to
      tier {limits.max_tier}; what is above always asks people. A policy may ask for more, never for less.
    </Text>
  )
}

/** Each action in each class of environments, judged by the server as the gate judges a change of it alone. */
function Kinds({ items, limits }: { items: Earned[]; limits: Limits }) {
  const columns: PlainColumn<Earned>[] = [
    { name: 'Action', cell: (one) => <Outside mono>{one.action}</Outside> },
    { name: 'Class', cell: (one) => one.environment_class },
    { name: 'Tier', cell: (one) => one.tier },
    { name: 'Succeeded', cell: (one) => one.successes },
    { name: 'Failed', cell: (one) => one.failures },
    { name: 'Rate up to', cell: (one) => percent(one.failure_bound) },
    {
      name: 'Autonomy',
      cell: (one) => (
        <>
          {one.earned ? <Tone of="green">earned</Tone> : distance(one)}
          {beyond(one.limits, limits) && (
            <Text size="xs" className="faint">the policy asks for {beyond(one.limits, limits)}</Text>
          )}
        </>
      ),
    },
    { name: 'Last outcome', cell: (one) => <When at={one.updated_at} /> },
  ]
  return (
    <>
      <Text size="sm" className="faint">
        Each as the gate judges a change of it alone, on one host and with a way back. A plan of several actions needs
        all of them; guards and the runbook may still ask people.
      </Text>
      <PlainTable
        label="Actions and what they earned" columns={columns} rows={items}
        id={(one) => `${one.action} ${one.environment_class}`}
      />
    </>
  )
}
