import { Alert, Code, Group, Modal, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import type { Field } from '../../logic/fields'
import { ActorName } from '../../parts/ActorName'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'

interface HostKeysProps {
  connection: string
  /** Where it leads, for names of buttons. */
  where: string
  why: string | undefined
}

const fields: Field[] = [
  {
    at: 'public_key', label: 'Public key of the host', kind: 'code', required: true,
    placeholder: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…',
    help: 'A line of a file that ends in .pub, read on the server itself.',
  },
]

/** Which host keys of a connection are trusted, and who vouched for each. */
export function HostKeys({ connection, where, why }: HostKeysProps) {
  const path = { path: { id: connection } }
  const keys = useQuery(get('/api/v1/connections/{id}/host-keys', { params: path }))
  const [pinning, pin] = useState(false)
  const touch = useTouch()
  return (
    <Stack gap={4}>
      <Loaded query={keys} rows={1}>
        {(found) => (
          <>
            {found.length === 0 && (
              <Alert color="yellow" variant="light" p="xs">No host key is pinned: nothing connects.</Alert>
            )}
            {found.map((key) => (
              <Group key={key.fingerprint} gap="xs">
                <Text size="xs" component="div" style={{ minWidth: 0 }}>
                  <Outside mono>{`${key.public_key.split(' ')[0] ?? ''} ${key.fingerprint}`}</Outside>{' '}
                  <span className="faint">pinned by <ActorName id={key.pinned_by} /> <When at={key.pinned_at} /></span>
                </Text>
                <Sure
                  label="Unpin" title="Take this host key away?" color="red" why={why}
                  button={{ size: 'compact-xs', 'aria-label': `Unpin ${key.fingerprint} of ${where}` }}
                  act={async () => {
                    const body = { public_key: key.public_key }
                    await api.POST('/api/v1/connections/{id}/host-keys/unpin', { params: path, body })
                    await touch('connections')
                  }}
                >
                  {found.length === 1
                    ? 'It is the only one: nothing connects to this server until another is pinned.'
                    : 'A server that shows this key is not trusted any more.'}
                </Sure>
              </Group>
            ))}
          </>
        )}
      </Loaded>
      <Group>
        <MayButton size="compact-xs" why={why} onClick={() => pin(true)} aria-label={`Pin a host key of ${where}`}>
          Pin a host key
        </MayButton>
      </Group>
      <Modal opened={pinning} onClose={() => pin(false)} title="Pin a host key" size="lg">
        {pinning && (
          <FieldForm
            fields={fields} submit="I vouch for it" onCancel={() => pin(false)}
            onSubmit={async (given) => {
              const body = { public_key: String(given.public_key) }
              await api.POST('/api/v1/connections/{id}/host-keys', { params: path, body })
              await touch('connections')
              pin(false)
            }}
          >
            {() => (
              <Text size="sm" component="div">
                On the server <Code>cat /etc/ssh/ssh_host_ed25519_key.pub</Code> shows it. A key that only came over the
                network may be somebody else&apos;s. Your name stands with it in the log.
              </Text>
            )}
          </FieldForm>
        )}
      </Modal>
    </Stack>
  )
}
