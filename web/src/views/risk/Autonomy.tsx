import { Anchor, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { standing, type Constants, type Evidence, type Outcomes, type Standing } from '../../logic/autonomy'
import { percent } from '../../logic/decision'
import { count } from '../../logic/words'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Waiting } from '../../parts/State'
import { When } from '../../parts/When'
import { evidenceOf, useNewest, type Belief } from './beliefs'
import { Facts } from './Facts'

/** What outcomes of a category allow, and what is missing until its changes may run unasked. */
export function Autonomy({ belief, constants }: { belief: Belief; constants: Constants }) {
  const limits = constants.autonomy
  const whole = standing(belief.outcomes, limits)
  const certainty = percent(limits.boundMass, 0)
  return (
    <Section title={<>Autonomy: {belief.category}</>}>
      <Stack gap="md">
        <Text size="sm">
          A change runs unasked when each of its actions has earned it in each class of environment it touches, by its
          own verified outcomes: at least {limits.minSuccesses} successes, and a failure rate that lies
          below {percent(limits.maxFailureBound)} with {certainty} certainty. It can be earned up to tier
          {' '}{limits.maxTier}; what is above always asks people. A policy may ask for more, never for less.
        </Text>
        <Facts
          of={[
            ['Verified here', both(belief.outcomes)],
            ['Failure rate', `below ${percent(whole.bound)} with ${certainty} certainty, by these alone`],
            ['Only reported', belief.reported.successes + belief.reported.failures > 0
              && `${both(belief.reported)}: they teach advice alone`],
          ]}
        />
        <Text size="sm" fw={550}>{together(whole, belief.category)}</Text>
        <Actions belief={belief} constants={constants} />
      </Stack>
    </Section>
  )
}

const both = ({ successes, failures }: Outcomes) =>
  `${count(successes, 'success', 'successes')}, ${count(failures, 'failure')}`

/** What the outcomes of the whole category mean: no action of it can have more than all of them. */
function together({ needed, missing, failures }: Standing, category: string): string {
  const beside = failures > 0 ? ` beside ${count(failures, 'failure')}` : ''
  const wanted = `${count(needed, 'success', 'successes')} of an action${beside} are needed`
  if (missing > 0) return `The next level, running unasked: ${wanted}. All of ${category} together lack ${missing}.`
  return `All of ${category} together would be enough for the next level, running unasked: ${wanted}.`
}

function Actions({ belief, constants }: { belief: Belief; constants: Constants }) {
  const { lines, found, pending } = useNewest(belief.category)
  if (pending) return <Waiting rows={2} />
  const evidence = evidenceOf(found).filter((one) => one.category === belief.category)
  const latest = lines.data?.items[0]
  if (!latest || evidence.length === 0) {
    return (
      <Text size="sm" className="faint">
        No decision of late tells of single actions of {belief.category}: none was asked for, or none has a verified
        outcome.
      </Text>
    )
  }
  return (
    <>
      <Text size="sm" className="faint">
        By action and class of environment, as the newest decisions knew it; the last was{' '}
        <Anchor component={Link} to={`/decisions/${latest.id}`} size="sm">made</Anchor> <When at={latest.created_at} />.
      </Text>
      <PlainTable
        label="Actions and what they earned" columns={columns}
        rows={evidence.map((one) => ({ ...one, stands: standing(one, constants.autonomy) }))}
        id={(one) => `${one.action} ${one.environment}`}
      />
    </>
  )
}

const columns: PlainColumn<Evidence & { stands: Standing }>[] = [
  { name: 'Action', cell: (one) => <span className="mono">{one.action}</span> },
  { name: 'Class', cell: (one) => one.environment },
  { name: 'Succeeded', cell: (one) => one.successes },
  { name: 'Failed', cell: (one) => one.failures },
  { name: 'Rate up to', cell: ({ stands }) => percent(stands.bound) },
  {
    name: 'Autonomy',
    cell: ({ stands }) =>
      stands.earned ? 'earned' : `${count(stands.missing, 'more success', 'more successes')} needed`,
  },
]
