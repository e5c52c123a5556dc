import { Alert, Button, Group, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { asProblem } from '../../api/problem'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { testConnection } from '../../api/testing'
import { useMay } from '../../app/session'
import { duration } from '../../logic/time'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { When } from '../../parts/When'
import { ConnectionForm } from './ConnectionForm'
import type { Resource } from './data'
import { HostKeys } from './HostKeys'
import classes from './Estate.module.css'

/** One way to reach a resource: where, as whom, with what, and which keys its server may show. */
export function ConnectionCard({ connection, resource }: { connection: Schema<'ConnectionOut'>; resource: Resource }) {
  const { id, host, port, username, transport, is_active, guard_dir, credential_id } = connection
  const [editing, { open, close }] = useDisclosure(false)
  const mayWrite = useMay('estate.write')
  const test = useMutation({ mutationFn: () => testConnection(id) })
  return (
    <div className={classes.card}>
      <Group justify="space-between" align="flex-start" gap="xs">
        <div>
          <Text component="div" fw={600}><Outside mono>{`${username}@${host}:${port}`}</Outside></Text>
          <Group gap="xs" fz="sm" c="var(--faint)">
            <span>{transport}</span>
            <Credential id={credential_id} />
            <Status of={is_active ? 'active' : 'not_used'} />
            {guard_dir && <span>guard in <Outside mono>{guard_dir}</Outside></span>}
          </Group>
        </div>
        {mayWrite && (
          <Group gap="xs">
            <Tooltip label="Connects, logs in and leaves again: nothing is changed there">
              <Button size="compact-sm" variant="default" onClick={() => test.mutate()} loading={test.isPending}>
                Test it
              </Button>
            </Tooltip>
            <Button size="compact-sm" variant="default" onClick={open}>Edit</Button>
          </Group>
        )}
      </Group>
      <div role="status">
        {test.data && (
          <Alert mt="xs" variant="light" color={test.data.reachable ? 'green' : 'red'}>
            <Text size="sm" fw={650}>
              {test.data.reachable ? `Reached in ${duration(test.data.took_ms)}` : 'Not reached'}
            </Text>
            <Outside>{test.data.detail}</Outside>{' '}
            <Text span size="xs" className="faint">tried <When at={test.data.tested_at} /></Text>
          </Alert>
        )}
      </div>
      {test.error && <Failed problem={asProblem(test.error)} />}
      <HostKeys connection={{ id, name: resource.name, host, port, username }} />
      <ConnectionForm resource={resource} id={id} opened={editing} onClose={close} />
    </div>
  )
}

/** By what name the login's secret is kept. */
function Credential({ id }: { id: string | null | undefined }) {
  const all = useQuery(get('/api/v1/credentials'))
  if (!id) return <span>no credential</span>
  const one = all.data?.find((credential) => credential.id === id)
  if (!one) return <span className="mono">{id}</span>
  return <span>with <Outside>{one.name}</Outside>, {one.kind.replaceAll('_', ' ')}, version {one.version}</span>
}
