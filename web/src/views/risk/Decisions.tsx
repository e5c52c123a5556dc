import { Button, Group, NativeSelect, Stack } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { rounded } from '../../logic/decision'
import { Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'

const Score = ({ of }: { of?: string | null }) => (of ? <span className="mono">{rounded(of)}</span> : <span>–</span>)

const Outcome = ({ of }: { of?: boolean | null }) =>
  typeof of === 'boolean' ? <Status of={of ? 'succeeded' : 'failed'} /> : <span>–</span>

const columns: Column<Schema<'DecisionLine'>>[] = [
  { name: 'What', width: 'minmax(9rem, 1fr)', cell: (row) => <Outside>{row.summary}</Outside> },
  { name: 'Verdict', width: '9rem', cell: (row) => <Status of={row.verdict} /> },
  { name: 'Tier', width: '5.5rem', cell: (row) => <Tier of={row.tier} />, from: 480 },
  { name: 'Score', width: '5rem', cell: (row) => <Score of={row.risk_score} />, from: 600 },
  { name: 'Outcome', width: '8rem', cell: (row) => <Outcome of={row.success} />, from: 720 },
  { name: 'For', width: '5rem', cell: (row) => row.purpose, from: 820 },
  { name: 'Decided', width: '6.5rem', cell: (row) => <When at={row.created_at} />, sort: 'created_at', from: 420 },
]

const VERDICTS = [
  { value: '', label: 'Any verdict' },
  { value: 'allow', label: 'Allowed' },
  { value: 'require_approval', label: 'Asked people' },
  { value: 'deny', label: 'Denied' },
]
const PURPOSES = [
  { value: '', label: 'Changes and advice' },
  { value: 'change', label: 'Changes here' },
  { value: 'advice', label: 'Advice' },
]
const TIERS = ['read', 'low', 'medium', 'high', 'critical']

/** Rows fetched at once: the most this list gives. */
const PAGE = 100

/** What was decided, newest first. */
export function Decisions() {
  const [search, setSearch] = useSearch()
  const sort = search.sort === 'created_at' || search.sort === '-created_at' ? search.sort : undefined
  const decisions = useInfiniteQuery(pages('/api/v1/decisions', {
    ...(sort ? { sort } : {}),
    ...(search.verdict ? { verdict: [search.verdict] } : {}),
    ...(search.for ? { purpose: [search.for] } : {}),
    ...(search.tier ? { tier: [search.tier] } : {}),
    ...(search.intent ? { intent_id: [search.intent] } : {}),
  }, PAGE))
  const select = (name: string, label: string, data: React.ComponentProps<typeof NativeSelect>['data']) => (
    <NativeSelect
      size="xs" aria-label={label} value={search[name] ?? ''} data={data}
      onChange={(event) => setSearch({ [name]: event.currentTarget.value })}
    />
  )
  return (
    <Stack gap="sm">
      <Group gap="sm">
        {select('verdict', 'Verdict', VERDICTS)}
        {select('for', 'For', PURPOSES)}
        {select('tier', 'Tier', [{ value: '', label: 'Any tier' }, ...TIERS])}
        {search.intent && (
          <Button size="compact-sm" variant="light" onClick={() => setSearch({ intent: undefined })}>
            Of one intent alone: show all
          </Button>
        )}
      </Group>
      <Rows
        label="Decisions"
        query={decisions}
        columns={columns}
        id={(row) => row.id}
        to={(row) => `/decisions/${row.id}`}
        sort={search.sort}
        onSort={(next) => setSearch({ sort: next })}
        empty={
          <Empty title="No such decision">Every request that passes the gate leaves a signed decision here.</Empty>
        }
      />
    </Stack>
  )
}
