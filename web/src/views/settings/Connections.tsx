import { Anchor, Button, Group, Paper, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get, pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Empty, Failed, Loaded, Waiting } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { Connection } from './Connection'
import { ConnectionForm } from './ConnectionForm'

/** Resources shown at once: each asks for its connections. */
const AT_ONCE = 20

/** How each resource is reached, resource by resource. */
export function Connections() {
  const [search, set] = useSearch()
  const [q] = useDebouncedValue(search.q ?? '', 250)
  const resources = useInfiniteQuery(pages('/api/v1/resources', { ...(q ? { q } : {}), sort: 'name' }, AT_ONCE))
  const rows = resources.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Section title="Connections">
      <Stack gap="sm">
        <Text size="sm" className="faint">
          A connection says how a server is reached over SSH, and with which credential. Nothing connects before
          somebody pins a host key: whoever does vouches for it.
        </Text>
        <TextInput
          aria-label="Search resources" placeholder="A resource's name" value={search.q ?? ''} maw={360}
          onChange={(event) => set({ q: event.currentTarget.value })}
        />
        {resources.isPending && <Waiting rows={6} />}
        {resources.error && <Failed problem={asProblem(resources.error)} retry={() => void resources.refetch()} />}
        {resources.data && rows.length === 0 && (
          <Empty title={q ? 'Nothing is found' : 'There is no resource'}>
            {q
              ? 'No resource has that in its name.'
              : <>Add one in the <Anchor component={Link} to="/estate">estate</Anchor>.</>}
          </Empty>
        )}
        {rows.map((resource) => <OfResource key={resource.id} resource={resource} />)}
        {resources.hasNextPage && (
          <Group>
            <Button
              variant="default" loading={resources.isFetchingNextPage} onClick={() => void resources.fetchNextPage()}
            >
              More resources
            </Button>
          </Group>
        )}
      </Stack>
    </Section>
  )
}

function OfResource({ resource }: { resource: Schema<'ResourceOut'> }) {
  const connections = useQuery(
    get('/api/v1/resources/{id}/connections', { params: { path: { id: resource.id } } }),
  )
  const [adding, add] = useState(false)
  const why = useMay('estate.write') ? undefined : needed('estate.write')
  const touch = useTouch()
  return (
    <Paper withBorder p="sm" bg="var(--card)" component="article" aria-label={resource.name}>
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Anchor component={Link} to={`/estate/${resource.id}`} fw={600}><Outside>{resource.name}</Outside></Anchor>
            <Text size="xs" className="faint">
              {[resource.kind, resource.hostname, resource.os_type].filter(Boolean).join(', ')}
            </Text>
          </Group>
          <MayButton why={why} onClick={() => add(true)} aria-label={`Add a connection to ${resource.name}`}>
            Add a connection
          </MayButton>
        </Group>
        <Loaded query={connections} rows={1}>
          {(found) => found.length === 0
            ? <Text size="sm" className="faint">It has none: nothing can be run there.</Text>
            : found.map((connection) => <Connection key={connection.id} connection={connection} />)}
        </Loaded>
      </Stack>
      <ConnectionForm
        title={`A connection to ${resource.name}`} opened={adding} onClose={() => add(false)}
        host={resource.hostname ?? undefined}
        save={async (body) => {
          await api.POST('/api/v1/resources/{id}/connections', { params: { path: { id: resource.id } }, body })
          await touch('resources', 'connections')
        }}
      />
    </Paper>
  )
}
