import { Anchor } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { queryOf, type EstateFilter } from '../../logic/estate'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { useEnvironments, type Resource } from './data'
import { nameOf } from './naming'

const PAGE = 100
const SORTS = ['name', '-name', 'created_at', '-created_at'] as const

/** The resources a filter leaves, a row each. */
export function ResourceList({ filter }: { filter: EstateFilter }) {
  const [search, set] = useSearch()
  const sort = SORTS.find((one) => one === search.sort) ?? 'name'
  const found = useInfiniteQuery(pages('/api/v1/resources', { ...queryOf(filter), sort }, PAGE))
  const environments = useEnvironments().data
  const columns = useMemo((): Column<Resource>[] => {
    const named = new Map((environments?.items ?? []).map((one) => [one.id, one]))
    return [
      { name: 'Name', width: 'minmax(9rem, 2fr)', sort: 'name', cell: (row) => <Outside>{row.name}</Outside> },
      {
        name: 'Environment', width: 'minmax(6rem, 1fr)',
        cell: (row) => <Outside>{nameOf(named, row.environment_id)}</Outside>,
      },
      { name: 'Kind', width: '7rem', from: 480, cell: (row) => <Outside>{row.kind}</Outside> },
      { name: 'Provider', width: '6rem', from: 620, cell: (row) => row.provider },
      { name: 'Type', width: 'minmax(7rem, 1fr)', from: 860, cell: (row) => <Outside mono>{row.type}</Outside> },
      { name: 'Team', width: 'minmax(5rem, 1fr)', from: 740, cell: (row) => <Outside>{row.owner_team}</Outside> },
      { name: 'Status', width: '7rem', from: 560, cell: (row) => <Status of={row.status ?? 'active'} /> },
      { name: 'Added', width: '7rem', from: 980, sort: 'created_at', cell: (row) => <When at={row.created_at} /> },
    ]
  }, [environments])
  const narrowed = Object.values(filter).some(Boolean)
  return (
    <Rows
      label="Resources"
      query={found}
      columns={columns}
      id={(row) => row.id}
      to={(row) => `/estate/${row.id}`}
      sort={sort}
      onSort={(next) => set({ sort: next })}
      height="max(18rem, calc(100dvh - 21rem))"
      empty={
        <Empty title={narrowed ? 'No resource is like that' : 'There is no resource yet'}>
          {narrowed ? 'Take away a filter to see more.' : (
            <>
              Servers, databases and buckets stand here once they are added, imported or found by a scan.{' '}
              <Anchor component={Link} to="/welcome">First steps</Anchor>
            </>
          )}
        </Empty>
      }
    />
  )
}
