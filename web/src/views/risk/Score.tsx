import { Group, Stack, Text } from '@mantine/core'
import type { Components, DecisionRecord } from '../../logic/decision'
import { percent, rounded } from '../../logic/decision'
import { count } from '../../logic/words'
import { Tier } from '../../parts/Marks'
import { Bars } from './Bars'
import { Facts } from './Facts'

interface ScoreProps {
  tier: string
  /** An exact decimal. */
  score: string | null | undefined
  components: Components | undefined
  record: DecisionRecord
}

/** The score of a risk with everything it is made of, in the exact decimals that were decided by. */
export function Score({ tier, score, components, record }: ScoreProps) {
  const { interval, belief, category } = record
  const mass = percent(record.constants.intervalMass, 0)
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Tier of={tier} />
        {score && <Text fw={650}>Score <span className="mono">{score}</span></Text>}
        <Text size="sm" className="faint">0 is no risk, 1 a certain failure</Text>
      </Group>
      {components ? <Made of={components} record={record} /> : (
        <Text size="sm" className="faint">The model gave no parts that add up to the score exactly.</Text>
      )}
      <Facts
        of={[
          [`${mass} interval`, interval && `${rounded(interval.low)} to ${rounded(interval.high)} of failing`],
          ['Posterior', belief && (
            `Beta(${belief.alpha}, ${belief.beta}) of ${category}, from ${count(belief.n, 'verified outcome')}`
          )],
          ['Model', record.model && `${record.model}, constants ${record.constants.name}`],
        ]}
      />
    </Stack>
  )
}

function Made({ of, record }: { of: Components; record: DecisionRecord }) {
  const { terms } = of
  const category = record.category || 'its category'
  const rows = [
    { name: 'Posterior', value: terms.posterior, about: `mean of what is believed of ${category}` },
    { name: 'Memory', value: terms.memory, about: memory(of) },
    { name: 'Context', value: terms.context, about: `the environment multiplies by ${of.contextFactor}` },
  ]
  return (
    <>
      <Text size="sm" component="p" m={0}>
        <span className="mono">{of.mean}</span> mean × <span className="mono">{of.contextFactor}</span> context
        factor − <span className="mono">{of.cut}</span> cut = <span className="mono">{of.score}</span>
      </Text>
      <Bars rows={rows} label="What each part adds to the score" />
    </>
  )
}

function memory({ memoryWeight, memorySuccessRate }: Components): string {
  if (memoryWeight === undefined || memorySuccessRate === undefined) return 'no similar change is remembered'
  return `${memorySuccessRate} of similar changes succeeded, weight ${memoryWeight}`
}
