import { Stack, Table, Text } from '@mantine/core'
import type { DecisionRecord } from '../../logic/decision'
import { number } from '../../logic/json'
import { Tier } from '../../parts/Marks'
import { Caption } from './Caption'
import { Bars } from './Bars'

/** What each answer is expected to cost, and which the risk alone would give. */
export function Losses({ record }: { record: DecisionRecord }) {
  const { losses } = record
  if (!losses) return null
  const rows = [
    { name: 'Let it run', value: losses.approve },
    { name: 'Ask a person', value: losses.escalate },
    { name: 'Refuse it', value: losses.deny },
  ]
  const size = (row: { value: string }) => number(row.value) ?? Infinity
  const least = rows.reduce((best, row) => (size(row) < size(best) ? row : best))
  return (
    <Stack gap="xs">
      <Text size="sm">
        Expected losses, in points: the smallest is “{least.name.toLowerCase()}”.
        {record.psi && number(record.psi) !== 0 && ` Uncertainty ${record.psi} is in it.`}
      </Text>
      <Bars rows={rows} label="Expected losses in points" />
    </Stack>
  )
}

const SIDES: Record<string, string> = {
  action: 'Its heaviest action',
  environment: 'The environment',
  blast: 'How far it reaches',
  score: 'The score',
}

/** Where the tier comes from: the highest of these. */
export function Tiers({ record }: { record: DecisionRecord }) {
  if (record.tiers.length === 0) return null
  return (
    <Table withRowBorders={false} verticalSpacing={3} captionSide="top" w="auto" style={{ alignSelf: 'flex-start' }}>
      <Caption>The tier is the highest that any of these asks for.</Caption>
      <Table.Tbody>
        {record.tiers.map(({ side, tier }) => (
          <Table.Tr key={side}>
            <Table.Th scope="row" fw={400}>{SIDES[side] ?? side}</Table.Th>
            <Table.Td><Tier of={tier} /></Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
