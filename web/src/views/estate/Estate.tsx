import { Tabs, Text } from '@mantine/core'
import { IconList, IconTopologyStar3 } from '@tabler/icons-react'
import { useSearch } from '../../app/search'
import type { EstateFilter } from '../../logic/estate'
import { Page } from '../../parts/Page'
import { Filters } from './Filters'
import { Picture } from './Picture'
import { ResourceList } from './ResourceList'

/** What there is, as a list and as a graph of what depends on what. */
export function Estate() {
  const [search, set] = useSearch()
  const { q, environment, kind, type, provider, status } = search
  const filter: EstateFilter = { q, environment, kind, type, provider, status }
  // Whoever comes with something chosen wants to see what hangs on it.
  const show = search.show ?? (search.selected || search.plan ? 'graph' : 'list')
  return (
    <Page title="Estate" about={<Text size="sm">What there is, and what depends on what.</Text>}>
      <Filters filter={filter} onChange={set} />
      <Tabs value={show} onChange={(next) => set({ show: next ?? undefined })} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="list" leftSection={<IconList size={16} />}>List</Tabs.Tab>
          <Tabs.Tab value="graph" leftSection={<IconTopologyStar3 size={16} />}>Graph</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="list"><ResourceList filter={filter} /></Tabs.Panel>
        <Tabs.Panel value="graph"><Picture filter={filter} /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}
