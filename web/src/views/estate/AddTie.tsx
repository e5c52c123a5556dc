import { Autocomplete, Button, Group, Modal, SegmentedControl, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { bears } from '../../logic/radius'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import type { Resource } from './data'
import { Find } from './Find'

const RELATIONS = ['depends_on', 'contains', 'reaches', 'runs_on']

/** Tells how a resource and another hang together. */
export function AddTie({ resource, opened, onClose }: { resource: Resource; opened: boolean; onClose: () => void }) {
  const [relation, setRelation] = useState('depends_on')
  const [other, setOther] = useState<string>()
  const [way, setWay] = useState<'out' | 'in'>('out')
  const queries = useQueryClient()
  const found = useQuery({
    ...get('/api/v1/resources/{id}', { params: { path: { id: other ?? '' } } }), enabled: other !== undefined,
  })
  const add = useMutation({
    mutationFn: () => {
      const [from_id, to_id] = way === 'out' ? [resource.id, other ?? ''] : [other ?? '', resource.id]
      return api.POST('/api/v1/resource-edges', { body: { from_id, to_id, relation: relation.trim() } })
    },
    onSuccess: async () => {
      setOther(undefined)
      onClose()
      await queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => String(path).startsWith('/api/v1/resource-edges'),
      })
    },
  })
  const problem = add.error ? asProblem(add.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (other) add.mutate()
  }
  const them = found.data ? <Outside>{found.data.name}</Outside> : 'the other'
  const dependsOnOther = bears(relation) !== (way === 'out')
  return (
    <Modal opened={opened} onClose={onClose} title="Add a relation">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Find
            label="The other resource" except={resource.id} value={other ?? null} onFound={setOther} wide
            error={problem?.field('/to_id')}
          />
          <Autocomplete
            label="Relation" description="One of these, or a word of your own" value={relation} onChange={setRelation}
            data={RELATIONS} required maxLength={100} error={problem?.field('/relation')}
          />
          <SegmentedControl
            aria-label="Which way" value={way} onChange={setWay} orientation="vertical" fullWidth
            data={[
              { value: 'out', label: `This ${relation} the other` },
              { value: 'in', label: `The other ${relation} this` },
            ]}
          />
          <Text size="sm">
            Blast radii will count it as: {dependsOnOther
              ? <><Outside>{resource.name}</Outside> depends on {them}.</>
              : <>{them} depends on <Outside>{resource.name}</Outside>.</>}
          </Text>
          {problem && <Failed problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Leave it</Button>
            <Button type="submit" loading={add.isPending} disabled={!other || relation.trim() === ''}>Add it</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
