import { Group, Modal, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import type { Field } from '../../logic/fields'
import { hrefWith } from '../../logic/hrefs'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Section } from '../../parts/Section'
import { ShownOnce } from '../../parts/ShownOnce'
import { Empty } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { Invitations } from './Invitations'
import { roleField } from './roleField'
import { UserDetail } from './UserDetail'

type User = Schema<'UserOut'>

const columns: Column<User>[] = [
  { name: 'User', width: 'minmax(8rem, 1.2fr)', cell: (user) => <Outside>{user.username}</Outside> },
  { name: 'Name', width: 'minmax(7rem, 1.2fr)', cell: (user) => <Outside>{user.full_name}</Outside>, from: 620 },
  {
    name: 'Roles', width: 'minmax(8rem, 1.5fr)',
    cell: (user) => user.is_active
      ? user.roles.join(', ') || 'none'
      : <Tone of="gray">switched off</Tone>,
  },
  { name: 'Address', width: 'minmax(8rem, 1.5fr)', cell: (user) => <Outside>{user.email}</Outside>, from: 860 },
  { name: 'Last login', width: '6.5rem', cell: (user) => <When at={user.last_login} />, from: 480 },
]

const fields: Field[] = [
  {
    at: 'username', label: 'User name', kind: 'text', required: true, help: 'Lower case letters, digits and . _ @ + -',
  },
  { at: 'full_name', label: 'Name', kind: 'text' },
  { at: 'email', label: 'Address', kind: 'text' },
  { ...roleField, initial: ['viewer'] },
]

/** People: who may sign in, and what they may do. */
export function Users() {
  const [search, set] = useSearch()
  const [adding, add] = useState(false)
  const [made, tell] = useState<Schema<'UserMade'>>()
  const touch = useTouch()
  const [q] = useDebouncedValue(search.q ?? '', 250)
  const which = search.active === 'no' ? ['false'] : search.active === 'all' ? undefined : ['true']
  const rows = useInfiniteQuery(
    pages('/api/v1/users', { ...(q ? { q } : {}), ...(which ? { is_active: which } : {}) }, 100),
  )
  return (
    <Stack gap="md">
      <Section title="Users" aside={<MayButton size="compact-sm" onClick={() => add(true)}>Add a user</MayButton>}>
        <Stack gap="xs">
          {made && (
            <ShownOnce
              what={`The one-time password of ${made.user.username}`} value={made.one_time_password}
              onDone={() => tell(undefined)}
            >
              Give it to them by a way nobody else reads. It is for one login, at which they set their own.
            </ShownOnce>
          )}
          <Group gap="xs">
            <TextInput
              aria-label="Search users" placeholder="Name or address" value={search.q ?? ''} flex="1 1 12rem" maw={360}
              onChange={(event) => set({ q: event.currentTarget.value })}
            />
            <SegmentedControl
              aria-label="Which users" value={search.active ?? ''} onChange={(active) => set({ active })}
              data={[
                { value: '', label: 'May sign in' },
                { value: 'no', label: 'Switched off' },
                { value: 'all', label: 'All' },
              ]}
            />
          </Group>
          <Rows
            label="Users" query={rows} columns={columns} id={(user) => user.id} height="22rem"
            to={(user) => hrefWith('/settings', search, { user: user.id })}
            empty={<Empty title="Nobody is found">Nobody here has that name or address.</Empty>}
          />
        </Stack>
      </Section>
      {search.user && <UserDetail key={search.user} id={search.user} onGone={() => set({ user: undefined })} />}
      <Invitations />
      <Modal opened={adding} onClose={() => add(false)} title="Add a user">
        {adding && (
          <FieldForm
            fields={fields} submit="Add" onCancel={() => add(false)}
            onSubmit={async (body) => {
              const { data } = await api.POST('/api/v1/users', { body: body as Schema<'UserIn'> })
              // What is shown once is shown first: nobody can ask for it again.
              tell(data)
              void touch('users')
              add(false)
            }}
          />
        )}
      </Modal>
    </Stack>
  )
}
