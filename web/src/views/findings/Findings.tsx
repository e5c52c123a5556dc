import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { IconDownload } from '@tabler/icons-react'
import { useMemo } from 'react'
import { asProblem } from '../../api/problem'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import {
  exportUrl, FILTER_NAMES, filtering, needsEnvironments, toQuery, type Search,
} from '../../logic/findingFilters'
import { Page } from '../../parts/Page'
import { Rows } from '../../parts/Rows'
import { Empty, Failed } from '../../parts/State'
import { useAll } from '../../parts/useAll'
import { columns } from './columns'
import { Filters } from './Filters'
import { SavedFilters } from './SavedFilters'
import { useSince } from './useSince'

const NONE: never[] = []
/** Findings fetched at once. */
const PAGE = 1_000

/** Every finding of every kind in one table: alerts, drift, violations, cost and exposure. */
export function Findings() {
  const [search, set] = useSearch()
  const environments = useInfiniteQuery(pages('/api/v1/environments', {}, 100))
  const { data: known, more } = useAll(environments)
  const names = known ?? NONE
  const asked = JSON.stringify([...FILTER_NAMES, 'sort'].map((name) => search[name]))
  const since = useSince(asked)
  const shown = useMemo(() => columns(names), [names])
  const query = useMemo(() => toQuery(search, names, since), [asked, names, since])
  const settled = known !== undefined && (!environments.hasNextPage || more || environments.isError)
  const ready = settled || !needsEnvironments(search)
  const list = useInfiniteQuery({ ...pages('/api/v1/findings', query, PAGE), enabled: ready })
  return (
    <Page
      title="Findings"
      about="Alerts, drift, violations, cost and exposure: whatever was noticed."
      actions={
        <>
          <SavedFilters search={search} set={set} />
          <Button
            component="a" href={exportUrl(query)} download="findings.csv" variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            CSV
          </Button>
        </>
      }
    >
      <Filters search={search} set={set} environments={names} />
      {environments.error && (
        <Failed problem={asProblem(environments.error)} retry={() => void environments.refetch()} />
      )}
      {list.isFetchNextPageError && (
        <Failed problem={asProblem(list.error)} retry={() => void list.fetchNextPage()} />
      )}
      {(ready || !environments.error) && (
        <Rows
          label="Findings"
          query={list}
          columns={shown}
          id={(row) => row.id}
          to={(row) => `/findings/${row.id}`}
          empty={<NoFinding search={search} set={set} />}
          sort={search.sort ?? '-first_seen'}
          onSort={(sort) => set({ sort })}
        />
      )}
    </Page>
  )
}

function NoFinding({ search, set }: { search: Search; set: (change: Search) => void }) {
  if (filtering(search) === 0) {
    return (
      <Empty title="There is no finding yet">
        Alerts come through their sources, drift through scans.{' '}
        <Link to="/welcome">First steps</Link>
      </Empty>
    )
  }
  return (
    <Empty title="No finding meets these filters">
      <Button
        variant="light" mt="xs"
        onClick={() => set(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])))}
      >
        Show all
      </Button>
    </Empty>
  )
}
