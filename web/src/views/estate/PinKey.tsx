import { Alert, Button, Checkbox, Code, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { fingerprint, readHostKey } from '../../logic/hostkey'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'

/** What is reached, as far as its host keys go. */
export interface Reached {
  id: string
  /** What people call it. */
  name: string
  host: string
  port: number
  username: string
}

interface PinKeyProps {
  connection: Reached
  opened: boolean
  onClose: () => void
}

/** Pins a host key: asks for it, shows whose it would be, and asks whether somebody vouches for that. */
export function PinKey({ connection, opened, onClose }: PinKeyProps) {
  const [text, setText] = useState('')
  const [vouched, vouch] = useState(false)
  const queries = useQueryClient()
  const key = readHostKey(text)
  const line = typeof key === 'string' ? undefined : key.line
  const print = useQuery({
    queryKey: ['fingerprint', line] as const,
    enabled: line !== undefined,
    queryFn: async () => (typeof key === 'string' ? null : (await fingerprint(key.blob)) ?? null),
  }).data
  const pin = useMutation({
    mutationFn: () => api.POST('/api/v1/connections/{id}/host-keys', {
      params: { path: { id: connection.id } }, body: { public_key: line ?? '' },
    }),
    onSuccess: async () => {
      leave()
      await queries.invalidateQueries({ queryKey: ['/api/v1/connections/{id}/host-keys'] })
    },
  })
  const leave = () => {
    setText('')
    vouch(false)
    pin.reset()
    onClose()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (line && vouched) pin.mutate()
  }
  const problem = pin.error ? asProblem(pin.error) : undefined
  const wrong = text.trim() !== '' && typeof key === 'string' ? key : undefined
  return (
    <Modal opened={opened} onClose={leave} title="Pin a host key" size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Textarea
            label="Host key" autosize minRows={2} maxRows={5} value={text} required spellCheck={false} data-autofocus
            description={<>One line of <Code>/etc/ssh/ssh_host_ed25519_key.pub</Code>, read on the server itself</>}
            error={wrong ?? problem?.field('/public_key')}
            onChange={(event) => {
              setText(event.currentTarget.value)
              vouch(false)
            }}
          />
          {line && (
            <Text size="sm">
              {line.split(' ')[0]}, fingerprint <Outside mono>{print ?? 'shown once it is pinned'}</Outside>
            </Text>
          )}
          <Alert color="orange" variant="light">
            <Text size="sm" fw={650} mb={4}>What vouching means</Text>
            <Text size="sm">
              Whoever holds this key counts as <Outside>{connection.name}</Outside> from now on: they are given the login
              of <Outside mono>{connection.username}</Outside> and the commands of every plan for it, and what they
              answer is believed. A key that was only read over the network may be somebody else's.
            </Text>
          </Alert>
          <Checkbox
            checked={vouched} disabled={!line} onChange={(event) => vouch(event.currentTarget.checked)}
            label="I read this key on the server itself, or have it from whoever runs it. I vouch for it."
          />
          {problem && <Failed problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={leave}>Leave it</Button>
            <Button type="submit" disabled={!line || !vouched} loading={pin.isPending}>Pin this key</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
