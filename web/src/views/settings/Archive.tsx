import { Alert, Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { Facts } from '../../parts/Facts'
import { Lines } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { bytes } from './bytes'

const path = (id: string) => ({ path: { id } })

/** One piece of the archive: what it is, and a copy of it for reading. */
export function Archive({ id }: { id: string }) {
  const piece = useQuery(get('/api/v1/archives/{id}', { params: path(id) }))
  return (
    <Section title="The piece">
      <Loaded query={piece} rows={6}>
        {(found) => (
          <Stack gap="md">
            <Facts
              facts={[
                ['Of', found.subject.replaceAll('_', ' ')],
                ['State', found.state === 'stored' ? 'stored: its rows are in the database, too' : found.state],
                ['Object', <span className="mono">{found.object}</span>],
                ['SHA-256', <span className="mono">{found.sha256 ?? '–'}</span>],
                ['Size', `${bytes(found.bytes)}, ${found.rows?.toLocaleString('en') ?? 'unknown'} rows`],
                found.places && ['Places in the log', `from ${found.places[0]} to before ${found.places[1]}`],
                ['Begun', <When at={found.planned_at} />],
                ['Read back', <When at={found.stored_at} />],
                ['Left the database', <When at={found.removed_at} />],
              ]}
            />
            <Copy piece={found} />
          </Stack>
        )}
      </Loaded>
    </Section>
  )
}

function Copy({ piece }: { piece: Schema<'ArchiveOut'> }) {
  const why = useMay('retention.write') ? undefined : needed('retention.write')
  const touch = useTouch()
  const touched = () => touch('archives')
  if (!piece.restored_until) {
    return (
      <Group gap="sm">
        <Sure
          label="Bring a copy back" title="Bring a copy back for reading?"
          why={why ?? (piece.stored_at ? undefined : 'It was not stored yet.')}
          button={{ size: 'compact-sm' }}
          act={() => api.POST('/api/v1/archives/{id}/restore', { params: path(piece.id) }).then(touched)}
        >
          A copy of {piece.rows?.toLocaleString('en') ?? 'its'} rows stays for seven days, for reading. It never goes
          into the tables it came from. An object that is not what was put into the store is refused.
        </Sure>
        <Text size="sm" className="faint">There is no copy of it here.</Text>
      </Group>
    )
  }
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Text size="sm" component="div">A copy is here until <When at={piece.restored_until} />.</Text>
        <Sure
          label="Remove the copy" title="Remove the copy?" why={why} color="red"
          act={() => api.DELETE('/api/v1/archives/{id}/rows', { params: path(piece.id) }).then(touched)}
        >
          The piece itself stays in the archive; a copy can be brought back again.
        </Sure>
      </Group>
      <RowsOfCopy piece={piece} />
    </Stack>
  )
}

const AT_ONCE = 50

function RowsOfCopy({ piece }: { piece: Schema<'ArchiveOut'> }) {
  const tables = Object.keys(piece.tables)
  const [table, choose] = useState('')
  const [from, go] = useState(0)
  const rows = useQuery(
    get('/api/v1/archives/{id}/rows', {
      params: { ...path(piece.id), query: { from, limit: AT_ONCE, ...(table ? { table } : {}) } },
    }),
  )
  return (
    <Stack gap="xs">
      <NativeSelect
        label="Rows of" value={table} maw={320} data={[{ value: '', label: 'every table' }, ...tables]}
        onChange={(event) => {
          choose(event.currentTarget.value)
          go(0)
        }}
      />
      <Loaded query={rows} rows={4}>
        {(found) => {
          const last = found.at(-1)
          return (
            <>
              {found.length === 0 && <Alert color="gray" variant="light">No more rows.</Alert>}
              {found.length > 0 && (
                <Lines label="Rows of the copy">
                  {found.map((one) => `${one.n} ${one.table} ${JSON.stringify(one.row)}`).join('\n')}
                </Lines>
              )}
              <Group gap="xs">
                <Button size="compact-sm" variant="default" disabled={from === 0} onClick={() => go(0)}>
                  From the first
                </Button>
                <Button
                  size="compact-sm" variant="default" disabled={found.length < AT_ONCE || !last}
                  onClick={() => last && go(last.n + 1)}
                >
                  Next {AT_ONCE}
                </Button>
              </Group>
            </>
          )
        }}
      </Loaded>
    </Stack>
  )
}
