import { Stack, Text } from '@mantine/core'
import { constraintWords } from '../../logic/ballot'
import type { Action, DecisionRecord } from '../../logic/decision'
import { percent } from '../../logic/decision'
import { number } from '../../logic/json'
import { count, words } from '../../logic/words'
import { Tier } from '../../parts/Marks'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Facts } from './Facts'

function autonomyWords({ earned, successes, failures, failureBound }: NonNullable<DecisionRecord['autonomy']>): string {
  const seen = `${count(successes, 'verified success', 'verified successes')}, ${count(failures, 'failure')}`
  return earned ? `earned: ${seen}` : `not earned: ${seen}, failure rate up to ${percent(failureBound)}`
}

const columns: PlainColumn<Action>[] = [
  { name: 'Action', cell: (action) => <span className="mono">{action.action}</span> },
  { name: 'At least', cell: (action) => <Tier of={action.tier} /> },
  {
    name: 'What it is',
    cell: (action) => (
      <>
        {action.kind === 'read' ? 'reads' : 'changes something'}
        {action.irreversible && ', cannot be undone otherwise'}
        {!action.known && <Text span size="sm" fw={600}>, not in the table: counts as high</Text>}
      </>
    ),
  },
]

/** What the judges were asked: the circumstances the answer rests on. */
export function Context({ record }: { record: DecisionRecord }) {
  const { impact, opportunity, predictive } = record.inputs
  const valued = [['impact', impact], ['opportunity', opportunity], ['forecast', predictive]]
    .filter(([, value]) => (number(value) ?? 0) !== 0)
    .map(([name, value]) => `${name} ${value}`)
  const constraints = constraintWords(record.constraints)
  const { autonomy } = record
  return (
    <Stack gap="sm">
      <Facts
        of={[
          ['Environments', record.environments.join(', ')],
          ['Set off by', words(record.trigger)],
          ['Category', record.category],
          ['Also weighed', valued.join(', ')],
          ['Constraints', constraints.length > 0 && constraints.join(' ')],
          ['Autonomy', autonomy && autonomyWords(autonomy)],
        ]}
      />
      {record.actions.length > 0 && (
        <PlainTable
          label="What the action table says of its actions" columns={columns} rows={record.actions}
          id={(action) => action.action}
        />
      )}
    </Stack>
  )
}
