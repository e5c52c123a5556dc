import { Modal, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useAccount } from '../../app/session'
import type { Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { ShownOnce } from '../../parts/ShownOnce'
import { Empty, Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { useAll } from '../../parts/useAll'
import { useTouch } from '../../parts/useTouch'
import { keyColumns, type Key } from './keyColumns'

const DAYS_MS = 90 * 86_400_000

const fields = (permissions: string[]): Field[] => [
  { at: 'name', label: 'What you call it', kind: 'text', required: true, placeholder: 'laptop' },
  {
    at: 'scopes', label: 'What it is for', kind: 'choices', required: true,
    options: [...permissions].sort().map((one) => ({ value: one, label: one })),
    help: 'It may do this, as long as you may.',
  },
  {
    at: 'expires_at', label: 'Ends', kind: 'moment', required: true,
    initial: new Date(Date.now() + DAYS_MS).toISOString(),
  },
]

/** One's own API keys: each for what it names, until it ends. */
export function OwnKeys() {
  const { permissions } = useAccount()
  const all = useAll(useInfiniteQuery(pages('/api/v1/account/api-keys', {}, 100)))
  const [form, open] = useState<Field[]>()
  const [made, tell] = useState<string>()
  const touch = useTouch()
  const columns = [...keyColumns, { name: 'Actions', cell: (key: Key) => <Revoke apiKey={key} /> }]
  return (
    <Section
      title="Your API keys"
      aside={<MayButton size="compact-sm" onClick={() => open(fields(permissions))}>Make a key</MayButton>}
    >
      <Text size="sm" className="faint" mb="xs">
        A key stands for you and can do less: it cannot show a second factor, and it ends when you are switched off.
      </Text>
      {made && (
        <ShownOnce what="The key" value={made} onDone={() => tell(undefined)}>
          Send it as <span className="mono">Authorization: Bearer …</span>.
        </ShownOnce>
      )}
      <Loaded query={all} rows={2}>
        {(rows) => rows.length === 0
          ? <Empty title="You have none">Programs of yours can sign in with one.</Empty>
          : <PlainTable label="Your API keys" columns={columns} rows={rows} id={(key) => key.id} />}
      </Loaded>
      <Modal opened={form !== undefined} onClose={() => open(undefined)} title="Make an API key of your own" size="lg">
        {form && (
          <FieldForm
            fields={form} submit="Make it" onCancel={() => open(undefined)}
            onSubmit={async (body) => {
              const { data } = await api.POST('/api/v1/account/api-keys', { body: body as Schema<'OwnKeyIn'> })
              // What is shown once is shown first: nobody can ask for it again.
              tell(data?.key)
              void touch('account')
              open(undefined)
            }}
          />
        )}
      </Modal>
    </Section>
  )
}

function Revoke({ apiKey }: { apiKey: Key }) {
  const touch = useTouch()
  if (!apiKey.is_active) return null
  return (
    <Sure
      label="Revoke" title={`Revoke ${apiKey.name}?`} color="red" button={{ 'aria-label': `Revoke ${apiKey.name}` }}
      act={() =>
        api.DELETE('/api/v1/account/api-keys/{id}', { params: { path: { id: apiKey.id } } })
          .then(() => touch('account'))}
    >
      It stops working at once and for good. Whatever uses it needs another.
    </Sure>
  )
}
