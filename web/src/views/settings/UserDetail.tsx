import { Group, Modal, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useAccount } from '../../app/session'
import { ChangeForm } from '../../parts/ChangeForm'
import { Facts } from '../../parts/Facts'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { ifSeen, seen } from '../../parts/seen'
import { Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { roleField } from './roleField'
import { UserSessions } from './UserSessions'

type User = Schema<'UserOut'>

const path = (id: string) => ({ path: { id } })

/** One user: who it is, what they may do, and everything that can be done about it. */
export function UserDetail({ id, onGone }: { id: string; onGone: () => void }) {
  const user = useQuery(get('/api/v1/users/{id}', { params: path(id) }))
  return (
    <Section title={<Outside>{user.data?.full_name || user.data?.username || 'The user'}</Outside>}>
      <Loaded query={user} rows={5}>
        {(found) => (
          <Stack gap="md">
            <Facts
              facts={[
                ['User name', <Outside mono>{found.username}</Outside>],
                ['Address', <Outside>{found.email}</Outside>],
                ['Roles', found.roles.join(', ') || 'none'],
                ['Signs in', found.is_active
                  ? <Tone of="green">may sign in</Tone>
                  : <Tone of="gray">switched off</Tone>],
                ['Last login', <When at={found.last_login} />],
                ['Since', <When at={found.created_at} />],
                ['In the log', <span className="mono">{found.actor_id}</span>],
              ]}
            />
            <Acts user={found} onGone={onGone} />
            <UserSessions user={found.id} />
          </Stack>
        )}
      </Loaded>
    </Section>
  )
}

const change = (id: string, body: Schema<'UserChange'>, tag?: string) =>
  api.PATCH('/api/v1/users/{id}', { params: { ...path(id), header: ifSeen(tag) }, body })

function Acts({ user, onGone }: { user: User; onGone: () => void }) {
  const account = useAccount()
  const touch = useTouch()
  const [changing, setChanging] = useState(false)
  const own = user.actor_id === account.actor_id
  const touched = () => touch('users', 'sessions', 'account')
  return (
    <Group gap="xs">
      <MayButton size="compact-sm" onClick={() => setChanging(true)}>Change roles</MayButton>
      <Sure
        label={user.is_active ? 'Switch off' : 'Let sign in again'} color={user.is_active ? 'red' : undefined}
        title={user.is_active ? `Switch ${user.username} off?` : `Let ${user.username} sign in again?`}
        button={{ size: 'compact-sm' }}
        act={() => change(user.id, { is_active: !user.is_active }).then(touched)}
      >
        {user.is_active
          ? 'Their sessions end at once, their own keys stop working, and they cannot sign in. It can be undone.'
          : 'They may sign in with the password they had, and may do what their roles say.'}
      </Sure>
      <Sure
        label="Take second factor away" title={`Take the second factor of ${user.username} away?`}
        button={{ size: 'compact-sm' }}
        act={() => api.DELETE('/api/v1/users/{id}/second-factor', { params: path(user.id) }).then(touched)}
      >
        For whoever lost theirs: make sure that it is them. Their sessions end, and they set up another.
      </Sure>
      <Sure
        label="Delete" title={`Delete ${user.username}?`} color="red" typed={user.username}
        button={{ size: 'compact-sm' }}
        act={() => api.DELETE('/api/v1/users/{id}', { params: path(user.id) }).then(touched)} onDone={onGone}
      >
        Sessions, keys and the second factor go, for good. The name stays taken, and the log goes on saying what they
        did.
      </Sure>
      <Sure
        label="Erase the person" title={`Erase the person behind ${user.username}?`} color="red" typed={user.username}
        why={own ? 'Somebody else must erase your account.' : undefined} button={{ size: 'compact-sm' }}
        reason={{ label: 'Why', help: 'It stands in the log for ever: do not name them.', most: 1_000 }}
        act={(reason) =>
          api.POST('/api/v1/users/{id}/erase', { params: path(user.id), body: { reason } }).then(touched)}
        onDone={onGone}
      >
        Nothing says any more who this was: name, address, login and conversations go, and what names them beside the
        log. The log itself stays and verifies. It cannot be undone; a legal hold refuses it.
      </Sure>
      <Modal opened={changing} onClose={() => setChanging(false)} title={`Roles of ${user.username}`}>
        {changing && (
          <ChangeForm
            fields={[{ ...roleField, required: false }]} submit="Set roles" onClose={() => setChanging(false)}
            read={() => seen(api.GET('/api/v1/users/{id}', { params: path(user.id) }))}
            save={(body, tag) => change(user.id, { roles: body.roles as string[] }, tag).then(touched)}
          >
            {() => (
              <Text size="sm" className="faint">
                Their sessions end at once. {own && 'These are your own roles: you will have to sign in again.'}
              </Text>
            )}
          </ChangeForm>
        )}
      </Modal>
    </Group>
  )
}
