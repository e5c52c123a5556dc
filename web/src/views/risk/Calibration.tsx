import { Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useSearch } from '../../app/search'
import { percent } from '../../logic/decision'
import { fit } from '../../logic/calibration'
import { count } from '../../logic/words'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { calibration, filled, type Bin, type Calibration as Figures } from './predicted'
import { Diagram } from './Diagram'

const DAYS = ['30', '90', '180', '365']

/** Whether what was predicted came true: predicted against observed, and what that means. */
export function Calibration() {
  const [search, setSearch] = useSearch()
  const days = DAYS.includes(search.days ?? '') ? Number(search.days) : 90
  const figures = useQuery(calibration(days))
  return (
    <Section
      title="What it was worth"
      aside={
        <NativeSelect
          size="xs"
          aria-label="Days"
          value={String(days)}
          onChange={(event) => setSearch({ days: event.currentTarget.value })}
          data={DAYS.map((value) => ({ value, label: `${value} days` }))}
        />
      }
    >
      <Loaded query={figures} rows={4}>{(found) => <Shown of={found} />}</Loaded>
    </Section>
  )
}

function Shown({ of }: { of: Figures }) {
  if (of.n === 0) {
    return (
      <Empty title="Nothing to compare yet">
        As soon as changes were carried out and verified, what was predicted stands here beside what came of it.
      </Empty>
    )
  }
  return (
    <Stack gap="md">
      <Text size="sm">
        {count(of.n, 'verified outcome')} since <When at={of.since} />.{' '}
        {typeof of.brier === 'number' && (
          <>
            Brier score <span className="mono">{of.brier.toFixed(4)}</span> (0 is perfect, 0.25 is what a coin
            says).{' '}
          </>
        )}
        {fit(filled(of.bins))}
      </Text>
      <Group align="flex-start" gap="xl">
        <Diagram bins={filled(of.bins)} />
        <div style={{ flex: '1 1 20rem', minWidth: 0 }}>
          <PlainTable
            label="Predicted and observed" columns={binColumns} rows={filled(of.bins)}
            id={(bin) => String(bin.from)}
          />
        </div>
      </Group>
      {of.categories.length > 0 && (
        <PlainTable label="By category" columns={categoryColumns} rows={of.categories} id={(one) => one.category} />
      )}
    </Stack>
  )
}

const binColumns: PlainColumn<Bin>[] = [
  { name: 'Predicted', cell: (bin) => `${percent(bin.from, 0)} to ${percent(bin.to, 0)}` },
  { name: 'Mean', cell: (bin) => percent(bin.predicted) },
  { name: 'Failed', cell: (bin) => percent(bin.observed) },
  { name: '90 % interval', cell: (bin) => `${percent(bin.lower)} to ${percent(bin.upper)}` },
  { name: 'Changes', cell: (bin) => bin.n },
]

const categoryColumns: PlainColumn<Figures['categories'][number]>[] = [
  { name: 'Category', cell: (one) => one.category },
  { name: 'Predicted', cell: (one) => percent(one.predicted) },
  { name: 'Failed', cell: (one) => percent(one.observed) },
  { name: 'Changes', cell: (one) => one.n },
]
