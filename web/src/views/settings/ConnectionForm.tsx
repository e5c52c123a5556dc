import { Modal, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import type { Field, Option } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'

interface ConnectionFormProps {
  title: string
  opened: boolean
  onClose: () => void
  /** What is there; a new one without. */
  known?: Schema<'ConnectionOut'>
  /** What its host probably is. */
  host?: string | undefined
  save: (body: Schema<'ConnectionIn'>) => Promise<unknown>
  /** What is asked first. */
  before?: ReactNode
  /** Whether that was answered: the rest is not asked before. */
  ready?: boolean
}

const fields = (credentials: Option[], host: string | undefined): Field[] => [
  {
    at: 'host', label: 'Host', kind: 'text', required: true, initial: host, placeholder: 'web-1.example.com',
    help: 'A name or an address.',
  },
  { at: 'port', label: 'Port', kind: 'number', required: true, min: 1, max: 65_535, initial: 22 },
  { at: 'username', label: 'User there', kind: 'text', required: true, placeholder: 'deploy' },
  {
    at: 'credential_id', label: 'Credential', kind: 'choice', options: credentials,
    help: 'What proves who we are: an SSH key or a password, kept under Credentials.',
  },
  {
    at: 'guard_dir', label: 'Guard directory there', kind: 'text', placeholder: '/var/lib/countersign/guard',
    help: 'Where marks are left that keep a step from running twice. Empty: .countersign/guard in the user’s home.',
  },
  { at: 'is_active', label: 'It may be used', kind: 'boolean', initial: true },
]

/** How a server is reached. */
export function ConnectionForm({ title, opened, onClose, known, host, save, before, ready = true }: ConnectionFormProps) {
  const credentials = useQuery({ ...get('/api/v1/credentials'), enabled: opened })
  const fitting = (credentials.data ?? []).filter((one) => one.kind === 'ssh_key' || one.kind === 'password')
  const options = fitting.map((one) => ({ value: one.id, label: `${one.name} (${one.kind.replace('_', ' ')})` }))
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      {opened && before}
      {opened && ready && (
        <FieldForm
          key={host} fields={fields(options, host)} known={known} submit={known ? 'Save' : 'Add'} onCancel={onClose}
          onSubmit={async (body) => {
            await save(body as Schema<'ConnectionIn'>)
            onClose()
          }}
        >
          {(draft) => known && (draft.host !== known.host || draft.port !== String(known.port)) && (
            <Text size="sm" c="var(--mantine-color-error)" role="status">
              Another host or port loses the pinned host keys: nothing connects until one is pinned again.
            </Text>
          )}
        </FieldForm>
      )}
    </Modal>
  )
}
