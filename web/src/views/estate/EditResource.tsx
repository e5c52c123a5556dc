import { Alert, Button, Group, Modal, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { readTags, writtenTags } from '../../logic/tags'
import { shown as plain } from '../../logic/visible'
import { ifSeen, type Seen } from '../../parts/seen'
import { Failed } from '../../parts/State'
import { useEnvironments, type Resource } from './data'

type Body = Schema<'ResourceIn'>

interface EditResourceProps {
  shown: Seen<Resource>
  onClose: () => void
}

/** Changes what is known of a resource. Nothing on the machine changes. */
export function EditResource({ opened, ...props }: EditResourceProps & { opened: boolean }) {
  return (
    <Modal opened={opened} onClose={props.onClose} title="What is known of it" size="lg">
      <Fields {...props} />
    </Modal>
  )
}

function Fields({ shown, onClose }: EditResourceProps) {
  // What was there when the form was opened: a change from outside is told when it is sent.
  const [{ value: was, tag }] = useState(shown)
  const { id, created_at: _created, updated_at: _updated, created_by: _by, tags: wasTags, ...rest } = was
  const [body, setBody] = useState<Body>(rest)
  const [tags, setTags] = useState(writtenTags(wasTags))
  const set = (change: Partial<Body>) => setBody((now) => ({ ...now, ...change }))
  const environments = useEnvironments().data?.items ?? []
  const queries = useQueryClient()
  const read = readTags(tags)
  const save = useMutation({
    mutationFn: () => api.PUT('/api/v1/resources/{id}', {
      params: { path: { id }, header: ifSeen(tag) }, body: { ...body, tags: read.tags },
    }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => String(path).startsWith('/api/v1/resources'),
      })
    },
  })
  const problem = save.error ? asProblem(save.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (read.wrong.length === 0) save.mutate()
  }
  const text = (name: 'name' | 'hostname' | 'location' | 'group_name' | 'owner_team', label: string, most: number) => (
    <TextInput
      label={label} maxLength={most} value={body[name] ?? ''} required={name === 'name'}
      error={problem?.field(`/${name}`)}
      onChange={({ currentTarget: { value } }) => set({ [name]: name === 'name' ? value : value || null })}
    />
  )
  const tagFault = problem?.errors.find((fault) => fault.path.startsWith('/tags'))?.message
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {text('name', 'Name', 255)}
        <Group grow align="flex-start">
          {text('hostname', 'Host name', 253)}
          <Select
            label="System" clearable data={['linux', 'windows']} value={body.os_type ?? null}
            error={problem?.field('/os_type')}
            onChange={(os_type) => set({ os_type })}
          />
        </Group>
        <Group grow align="flex-start">
          <Select
            label="Environment" required searchable allowDeselect={false} value={body.environment_id}
            data={environments.map((one) => ({ value: one.id, label: plain(`${one.name} (${one.class})`) }))}
            error={problem?.field('/environment_id')} onChange={(next) => next && set({ environment_id: next })}
          />
          <Select
            label="Status" allowDeselect={false} data={['active', 'retired']} value={body.status ?? 'active'}
            onChange={(status) => set({ status: status === 'retired' ? 'retired' : 'active' })}
          />
        </Group>
        <Group grow align="flex-start">{text('owner_team', 'Team', 100)}{text('location', 'Location', 255)}</Group>
        {text('group_name', 'Group', 255)}
        <TagsInput
          label="Labels" description="name=value, Enter after each; runbooks and policies choose by them"
          value={tags} onChange={setTags} splitChars={[',', '\n']}
          error={read.wrong.length > 0 ? `Write it as name=value: ${read.wrong.join(', ')}` : tagFault}
        />
        {body.environment_id !== was.environment_id && (
          <Alert color="orange" variant="light">
            Policies, windows and approvals of the other environment count for it from now on.
          </Alert>
        )}
        {body.status === 'retired' && was.status !== 'retired' && (
          <Alert color="orange" variant="light">What is retired is no target any more: runbooks leave it out.</Alert>
        )}
        <Text size="xs" className="faint">
          Its provider, kind, type and its provider's id stay as they were found. Plans that were approved for it are
          judged again before they start.
        </Text>
        {problem && <Failed problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>Leave it</Button>
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Group>
      </Stack>
    </form>
  )
}
