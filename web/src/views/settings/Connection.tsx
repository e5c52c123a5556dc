import { Anchor, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { testConnection } from '../../api/testing'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { Disclose } from '../../parts/Disclose'
import { Outside } from '../../parts/Outside'
import { ifSeen, seen, type Seen } from '../../parts/seen'
import { Failed } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { HostKeys } from '../estate/HostKeys'
import { ConnectionForm } from './ConnectionForm'

type Reached = Schema<'ConnectionOut'>
type Listed = Schema<'ConnectionListedOut'>

const path = (id: string) => ({ path: { id } })

/** One connection: where to, as whom, whether it works, and which host keys are trusted. */
export function Connection({ connection }: { connection: Listed }) {
  const [editing, edit] = useState<Seen<Reached>>()
  const why = useMay('estate.write') ? undefined : needed('estate.write')
  const touch = useTouch()
  const credentials = useQuery(get('/api/v1/credentials')).data
  const credential = credentials?.find((one) => one.id === connection.credential_id)
  const testing = useMutation({ mutationFn: () => testConnection(connection.id) })
  const opening = useMutation({
    mutationFn: () => seen<Reached>(api.GET('/api/v1/connections/{id}', { params: path(connection.id) })),
    onSuccess: edit,
  })
  const where = `${connection.username}@${connection.host}:${connection.port}`
  return (
    <Stack
      gap={6} pl="sm" component="article" aria-label={connection.resource_name}
      style={{ borderInlineStart: '3px solid var(--edge)' }}
    >
      <Group gap="xs" justify="space-between">
        <Group gap="xs">
          <Anchor component={Link} to={`/estate/${connection.resource_id}`} fw={600}>
            <Outside>{connection.resource_name}</Outside>
          </Anchor>
          <Outside mono>{`${connection.transport}://${where}`}</Outside>
          {!connection.is_active && <Tone of="gray">not used</Tone>}
          <Text size="xs" className="faint">
            {connection.credential_id
              ? <>with <Outside>{credential?.name ?? connection.credential_id}</Outside></>
              : 'without a credential'}
          </Text>
        </Group>
        <Group gap={6}>
          <MayButton
            why={why} loading={testing.isPending} onClick={() => testing.mutate()} aria-label={`Test ${where}`}
          >
            Test
          </MayButton>
          <MayButton
            why={why} loading={opening.isPending} onClick={() => opening.mutate()} aria-label={`Change ${where}`}
          >
            Change
          </MayButton>
        </Group>
      </Group>
      {opening.error && <Failed problem={asProblem(opening.error)} />}
      {testing.error && <Failed problem={asProblem(testing.error)} retry={() => testing.mutate()} />}
      {testing.data && (
        <Group gap="xs" role="status">
          <Tone of={testing.data.reachable ? 'green' : 'red'}>
            {testing.data.reachable ? 'reached' : 'not reached'}
          </Tone>
          <Text size="sm" component="div">
            <Outside>{testing.data.detail}</Outside> <span className="faint">in {duration(testing.data.took_ms)}</span>
          </Text>
        </Group>
      )}
      <Disclose label={connection.host_keys === 0
        ? 'No host key is pinned: nothing connects'
        : `${count(connection.host_keys, 'host key')} pinned`}
      >
        <HostKeys connection={{ ...connection, name: connection.resource_name }} />
      </Disclose>
      {editing && (
        <ConnectionForm
          title={`Change ${where}`} opened onClose={() => edit(undefined)} known={editing.value}
          save={async (body) => {
            await api.PUT('/api/v1/connections/{id}', {
              params: { ...path(connection.id), header: ifSeen(editing.tag) }, body,
            })
            await touch('connections', 'resources')
          }}
        />
      )}
    </Stack>
  )
}
