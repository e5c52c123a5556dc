import { Group, NativeSelect, Stack } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { ARF_1 } from '../../logic/autonomy'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { BY } from './by'

const CATEGORIES = Object.keys(ARF_1.priors)

const RESULTS = [
  { value: '', label: 'Any result' },
  { value: 'true', label: 'Succeeded' },
  { value: 'false', label: 'Failed' },
]

/** Only what was verified teaches what may run here. */
function teaches({ verified, verified_by }: Schema<'OutcomeOut'>): string {
  if (verified) return 'what may run here'
  return verified_by === 'reporter' ? 'advice alone' : 'nothing'
}

const columns: Column<Schema<'OutcomeOut'>>[] = [
  { name: 'Recorded', width: '6rem', cell: (row) => <When at={row.recorded_at} />, sort: 'recorded_at' },
  { name: 'Result', width: '7rem', cell: (row) => <Status of={row.success ? 'succeeded' : 'failed'} /> },
  { name: 'Category', width: '5.5rem', cell: (row) => row.category },
  { name: 'Verified by', width: '8rem', cell: (row) => BY[row.verified_by] ?? row.verified_by, from: 560 },
  { name: 'Teaches', width: '10rem', cell: teaches, from: 720 },
  { name: 'Notes', width: 'minmax(8rem, 1fr)', cell: (row) => <Outside>{row.notes}</Outside>, from: 820 },
]

/** Rows fetched at once: the most this list gives. */
const PAGE = 100

const led = (row: Schema<'OutcomeOut'>) =>
  row.execution_id ? `/executions/${row.execution_id}` : `/risk?tab=decisions&intent=${row.intent_id}`

/** What came of changes, newest first. */
export function Outcomes() {
  const [search, setSearch] = useSearch()
  const sort = search.sort === 'recorded_at' || search.sort === '-recorded_at' ? search.sort : undefined
  const outcomes = useInfiniteQuery(pages('/api/v1/outcomes', {
    ...(sort ? { sort } : {}),
    ...(search.outcome ? { success: [search.outcome] } : {}),
    ...(search.of ? { category: [search.of] } : {}),
  }, PAGE))
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <NativeSelect
          size="xs" aria-label="Result" value={search.outcome ?? ''}
          onChange={(event) => setSearch({ outcome: event.currentTarget.value })}
          data={RESULTS}
        />
        <NativeSelect
          size="xs" aria-label="Category" value={search.of ?? ''}
          onChange={(event) => setSearch({ of: event.currentTarget.value })}
          data={[{ value: '', label: 'All categories' }, ...CATEGORIES]}
        />
      </Group>
      <Rows
        label="Outcomes"
        query={outcomes}
        columns={columns}
        id={(row) => row.id}
        to={led}
        sort={search.sort}
        onSort={(next) => setSearch({ sort: next })}
        empty={
          <Empty title="No outcome yet">What came of changes stands here once they ran and somebody looked.</Empty>
        }
      />
    </Stack>
  )
}
