import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get, pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { Section } from '../../parts/Section'
import { Empty, Failed, Waiting } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { ThingSelect } from '../../parts/ThingSelect'
import { useTouch } from '../../parts/useTouch'
import { Connection } from './Connection'
import { ConnectionForm } from './ConnectionForm'

const AT_ONCE = 50
const USED = [{ value: '', label: 'All' }, { value: 'true', label: 'used' }, { value: 'false', label: 'not used' }]

/** How each resource is reached: the connections of all of them in one list. */
export function Connections() {
  const [search, set] = useSearch()
  const [q] = useDebouncedValue(search.q ?? '', 250)
  const [adding, add] = useState(false)
  const why = useMay('estate.write') ? undefined : needed('estate.write')
  const used = USED.find((one) => one.value === search.used)?.value ?? ''
  const all = useInfiniteQuery(pages('/api/v1/connections', {
    ...(q ? { q } : {}), ...(used ? { is_active: [used] } : {}), sort: 'resource_name',
  }, AT_ONCE))
  const rows = all.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Section
      title="Connections"
      aside={<MayButton size="compact-sm" why={why} onClick={() => add(true)}>Add a connection</MayButton>}
    >
      <Stack gap="sm">
        <Text size="sm" className="faint">
          A connection says how a server is reached over SSH, and with which credential. Nothing connects before
          somebody pins a host key: whoever does vouches for it.
        </Text>
        <Group gap="sm">
          <TextInput
            aria-label="Search connections" placeholder="A resource, host or user" value={search.q ?? ''} w={280}
            maw="100%" onChange={(event) => set({ q: event.currentTarget.value })}
          />
          <SegmentedControl
            aria-label="Which connections" value={used} onChange={(next) => set({ used: next })} data={USED}
          />
        </Group>
        {all.isPending && <Waiting rows={6} />}
        {all.error && <Failed problem={asProblem(all.error)} retry={() => void all.refetch()} />}
        {all.data && rows.length === 0 && (
          q || used
            ? <Empty title="Nothing is found">No connection leads there.</Empty>
            : <Empty title="There is no connection">Nothing can be run before a resource has one.</Empty>
        )}
        {rows.map((connection) => <Connection key={connection.id} connection={connection} />)}
        {all.hasNextPage && (
          <Group>
            <Button variant="default" loading={all.isFetchingNextPage} onClick={() => void all.fetchNextPage()}>
              More connections
            </Button>
          </Group>
        )}
      </Stack>
      {adding && <Add onClose={() => add(false)} />}
    </Section>
  )
}

/** Adds a connection to a resource that is chosen first. */
function Add({ onClose }: { onClose: () => void }) {
  const [resource, choose] = useState('')
  const chosen = useQuery({
    ...get('/api/v1/resources/{id}', { params: { path: { id: resource } } }), enabled: resource !== '',
  })
  const touch = useTouch()
  return (
    <ConnectionForm
      title="Add a connection" opened onClose={onClose} host={chosen.data?.hostname ?? undefined}
      before={<ThingSelect kind="resource" label="Resource" value={resource} onChange={choose} required />}
      ready={chosen.data !== undefined}
      save={async (body) => {
        await api.POST('/api/v1/resources/{id}/connections', { params: { path: { id: resource } }, body })
        await touch('resources', 'connections')
      }}
    />
  )
}
