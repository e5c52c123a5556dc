import { Alert, Button, Group, Modal, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { shown } from '../../logic/visible'
import { ifSeen, seen, type Seen } from '../../parts/seen'
import { Failed, Loaded } from '../../parts/State'
import type { Resource } from './data'

type Body = Schema<'ConnectionIn'>

const OF_CONNECTIONS = /^\/api\/v1\/(connections\/|resources\/\{id\}\/connections)/

interface ConnectionFormProps {
  resource: Resource
  /** The connection to change; a new one when absent. */
  id?: string
  opened: boolean
  onClose: () => void
}

/** Adds or changes a connection. */
export function ConnectionForm({ resource, id, opened, onClose }: ConnectionFormProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={id ? 'Change the connection' : 'Add a connection'}>
      {id ? <Known id={id} resource={resource} onClose={onClose} /> : <Fields resource={resource} onClose={onClose} />}
    </Modal>
  )
}

/** As it is now, with the name of that state: who changes it says which one they saw. */
function Known({ id, resource, onClose }: { id: string; resource: Resource; onClose: () => void }) {
  const found = useQuery({
    queryKey: ['/api/v1/connections/{id}', 'tagged', id] as const,
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) => seen(api.GET('/api/v1/connections/{id}', { params: { path: { id } }, signal })),
  })
  return (
    <Loaded query={found} rows={4}>
      {(known) => <Fields resource={resource} known={known} onClose={onClose} />}
    </Loaded>
  )
}

interface FieldsProps {
  resource: Resource
  known?: Seen<Schema<'ConnectionOut'>>
  onClose: () => void
}

function Fields({ resource, known, onClose }: FieldsProps) {
  // What was there when the form was opened: a change from outside is told when it is sent.
  const [first] = useState(known)
  const was = first?.value
  const [body, setBody] = useState<Body>({
    host: was?.host ?? resource.hostname ?? '', port: was?.port ?? 22, username: was?.username ?? '',
    credential_id: was?.credential_id ?? null, guard_dir: was?.guard_dir ?? null, is_active: was?.is_active ?? true,
  })
  const set = (change: Partial<Body>) => setBody((now) => ({ ...now, ...change }))
  const credentials = useQuery(get('/api/v1/credentials')).data ?? []
  const queries = useQueryClient()
  const save = useMutation({
    mutationFn: () => was
      ? api.PUT('/api/v1/connections/{id}', { params: { path: { id: was.id }, header: ifSeen(first?.tag) }, body })
      : api.POST('/api/v1/resources/{id}/connections', { params: { path: { id: resource.id } }, body }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => OF_CONNECTIONS.test(String(path)),
      })
    },
  })
  const problem = save.error ? asProblem(save.error) : undefined
  const moved = was && (was.host !== body.host || was.port !== body.port)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Host" description="Name or address" required maxLength={253} value={body.host} data-autofocus
          error={problem?.field('/host')} onChange={(event) => set({ host: event.currentTarget.value })}
        />
        <NumberInput
          label="Port" required min={1} max={65_535} allowDecimal={false} value={body.port}
          error={problem?.field('/port')}
          onChange={(port) => set({ port: typeof port === 'number' ? port : 22 })}
        />
        <TextInput
          label="Login" description="The user there" required maxLength={100} value={body.username}
          error={problem?.field('/username')} onChange={(event) => set({ username: event.currentTarget.value })}
        />
        <Select
          label="Credential" clearable searchable value={body.credential_id ?? null}
          error={problem?.field('/credential_id')}
          description="Its secret is sealed; a new one is added in the settings"
          data={credentials.filter((one) => one.kind === 'ssh_key' || one.kind === 'password').map((one) => ({
            value: one.id, label: shown(`${one.name} (${one.kind.replaceAll('_', ' ')}, version ${one.version})`),
          }))}
          onChange={(credential_id) => set({ credential_id })}
        />
        <TextInput
          label="Guard directory" description="Absolute; $HOME/.countersign/guard when empty" maxLength={255}
          value={body.guard_dir ?? ''} error={problem?.field('/guard_dir')}
          onChange={(event) => set({ guard_dir: event.currentTarget.value || null })}
        />
        <Switch
          label="It may be used" checked={body.is_active ?? true}
          onChange={(event) => set({ is_active: event.currentTarget.checked })}
        />
        {moved && (
          <Alert color="orange" variant="light">
            Another host or port is another server as far as anybody knows: its pinned host keys are taken away,
            and nothing connects until one is pinned again.
          </Alert>
        )}
        {!was && (
          <Alert color="blue" variant="light">
            No host key is pinned yet: pin one afterwards, until then nothing connects.
          </Alert>
        )}
        {problem && <Failed problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>Leave it</Button>
          <Button type="submit" loading={save.isPending}>{was ? 'Save' : 'Add it'}</Button>
        </Group>
      </Stack>
    </form>
  )
}
