import { Button, Group, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { When } from '../../parts/When'
import { PinKey, type Reached } from './PinKey'
import classes from './Estate.module.css'

/** The keys people vouch for: a server that shows another one is not talked to. */
export function HostKeys({ connection }: { connection: Reached }) {
  const keys = useQuery(get('/api/v1/connections/{id}/host-keys', { params: { path: { id: connection.id } } }))
  const [pinning, { open, close }] = useDisclosure(false)
  const mayWrite = useMay('estate.write')
  return (
    <div style={{ marginTop: '0.6rem' }}>
      <Group justify="space-between" gap="xs">
        <Title order={3} size="h6">Pinned host keys</Title>
        {mayWrite && <Button size="compact-xs" variant="default" onClick={open}>Pin a host key</Button>}
      </Group>
      <Loaded query={keys} rows={1}>
        {(pinned) => pinned.length === 0 ? (
          <Text size="sm">None: nothing connects until somebody pins one.</Text>
        ) : (
          <ul className={classes.keys}>
            {pinned.map((one) => (
              <Line key={one.fingerprint} connection={connection} pinned={one} last={pinned.length === 1} />
            ))}
          </ul>
        )}
      </Loaded>
      <PinKey connection={connection} opened={pinning} onClose={close} />
    </div>
  )
}

interface LineProps {
  connection: Reached
  pinned: Schema<'HostKeyOut'>
  /** Whether it is the only one. */
  last: boolean
}

function Line({ connection, pinned, last }: LineProps) {
  const mayWrite = useMay('estate.write')
  const queries = useQueryClient()
  const unpin = () => api.POST('/api/v1/connections/{id}/host-keys/unpin', {
    params: { path: { id: connection.id } }, body: { public_key: pinned.public_key },
  })
  return (
    <li>
      <span>
        <Outside mono>{pinned.fingerprint}</Outside>{' '}
        <Text span size="xs" className="faint">
          {pinned.public_key.split(' ')[0]}, pinned <When at={pinned.pinned_at} /> by{' '}
          <ActorName id={pinned.pinned_by} />
        </Text>
      </span>
      {mayWrite && (
        <Sure
          label="Take it away" title="Take this host key away?" color="red" act={unpin}
          button={{ size: 'compact-xs', variant: 'subtle', color: 'red' }}
          onDone={() => void queries.invalidateQueries({ queryKey: ['/api/v1/connections/{id}/host-keys'] })}
        >
          <Outside mono>{pinned.fingerprint}</Outside> is not accepted from{' '}
          <Outside mono>{`${connection.host}:${connection.port}`}</Outside> any more.{' '}
          {last && 'It is the only one: nothing connects there until another is pinned, and executions on it fail.'}
        </Sure>
      )}
    </li>
  )
}
