import { Group, Modal, SegmentedControl, Stack } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useAccount } from '../../app/session'
import type { Body, Field } from '../../logic/fields'
import { hrefWith } from '../../logic/hrefs'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Section } from '../../parts/Section'
import { ShownOnce } from '../../parts/ShownOnce'
import { Empty } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { ApiKeyDetail } from './ApiKeyDetail'
import { KeyState, type Key } from './keyColumns'
import { roleField } from './roleField'
import { tiers } from './tiers'

const columns: Column<Key>[] = [
  { name: 'Key', width: 'minmax(8rem, 1.5fr)', cell: (key) => <Outside>{key.name}</Outside> },
  { name: 'Begins with', width: '8rem', cell: (key) => <span className="mono">{key.key_prefix}…</span>, from: 560 },
  { name: 'Holder', width: '6rem', cell: (key) => (key.type === 'user' ? 'a person' : key.type), from: 700 },
  { name: 'State', width: '6.5rem', cell: (key) => <KeyState apiKey={key} /> },
  { name: 'Last used', width: '6.5rem', cell: (key) => <When at={key.last_used_at} />, from: 420 },
  { name: 'Ends', width: '6.5rem', cell: (key) => <When at={key.expires_at} />, from: 800 },
]

const fields = (permissions: string[], holders: Field['options']): Field[] => [
  { at: 'name', label: 'Name', kind: 'text', required: true, placeholder: 'alertmanager-eu' },
  {
    at: 'actor_id', label: 'Who holds it', kind: 'choice', options: holders,
    help: 'Without a choice a new service or agent of the same name is made.',
  },
  {
    at: 'type', label: 'What the new one is', kind: 'choice', required: true, initial: 'service',
    options: [{ value: 'service', label: 'A program' }, { value: 'agent', label: 'An AI agent' }],
    shown: (draft) => draft.actor_id === '',
  },
  { ...roleField, initial: ['operator'], shown: (draft) => draft.actor_id === '' },
  {
    at: 'scopes', label: 'What it is for', kind: 'choices',
    options: permissions.map((one) => ({ value: one, label: one })), help: 'None: all its holder may do.',
  },
  { at: 'tier', label: 'Quota', kind: 'choice', required: true, initial: 'enterprise', options: tiers },
  { at: 'expires_at', label: 'Ends', kind: 'moment', help: 'Empty: never.' },
]

/** All API keys of the tenant: made once, shown once, revoked for good. */
export function ApiKeys() {
  const [search, set] = useSearch()
  const { permissions } = useAccount()
  const [making, make] = useState(false)
  const [made, tell] = useState<string>()
  const touch = useTouch()
  const holders = useInfiniteQuery(pages('/api/v1/service-accounts', {}, 100))
  const known = holders.data?.pages.flatMap((page) => page.items) ?? []
  const which = search.keys === 'revoked' ? 'false' : 'true'
  const rows = useInfiniteQuery(pages('/api/v1/api-keys', { is_active: [which] }, 100))
  const chosen = rows.data?.pages.flatMap((page) => page.items).find((one) => one.id === search.key)
  const create = async (body: Body) => {
    const { data } = await api.POST('/api/v1/api-keys', { body: body as Schema<'KeyIn'> })
    // What is shown once is shown first: nobody can ask for it again.
    tell(data?.key)
    void touch('api-keys', 'service-accounts')
    make(false)
  }
  return (
    <>
      <Section title="API keys" aside={<MayButton size="compact-sm" onClick={() => make(true)}>Make a key</MayButton>}>
        <Stack gap="xs">
          {made && (
            <ShownOnce what="The key" value={made} onDone={() => tell(undefined)}>
              Its holder sends it as <span className="mono">Authorization: Bearer …</span>. Here only its beginning is
              kept.
            </ShownOnce>
          )}
          <Group>
            <SegmentedControl
              aria-label="Which keys" value={search.keys ?? ''} onChange={(keys) => set({ keys, key: undefined })}
              data={[{ value: '', label: 'Not revoked' }, { value: 'revoked', label: 'Revoked' }]}
            />
          </Group>
          <Rows
            label="API keys" query={rows} columns={columns} id={(key) => key.id} height="22rem"
            to={(key) => hrefWith('/settings', search, { key: key.id })}
            empty={<Empty title="There is none">No program comes with a key.</Empty>}
          />
        </Stack>
      </Section>
      {chosen && <ApiKeyDetail key={chosen.id} apiKey={chosen} />}
      <Modal opened={making} onClose={() => make(false)} title="Make an API key" size="lg">
        {making && (
          <FieldForm
            fields={fields([...permissions].sort(), known.map((one) => ({ value: one.id, label: one.name })))}
            submit="Make it" onSubmit={create} onCancel={() => make(false)}
          />
        )}
      </Modal>
    </>
  )
}
