import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import { PlainTable } from '../../parts/PlainTable'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { sessionColumns, type Session } from './sessionColumns'

const columns = sessionColumns((session) => <End session={session} />)

function End({ session }: { session: Session }) {
  const touch = useTouch()
  return (
    <Sure
      label="End" title="End this session?" color="red"
      button={{ 'aria-label': `End the session opened ${session.created_at}` }}
      act={() =>
        api.DELETE('/api/v1/sessions/{id}', { params: { path: { id: session.id } } })
          .then(() => touch('sessions', 'account'))}
    >
      It is dead from the next request on; they may sign in again.
    </Sure>
  )
}

/** Sessions of one user that were not ended. */
export function UserSessions({ user }: { user: string }) {
  const sessions = useQuery(
    get('/api/v1/sessions', { params: { query: { user_id: [user], is_active: ['true'], limit: 20 } } }),
  )
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>Sessions</Text>
      <Loaded query={sessions} rows={2}>
        {({ items }) => {
          const open = items.filter((session) => Date.parse(session.expires_at) > Date.now())
          return open.length === 0
            ? <Text size="sm" className="faint">None is open.</Text>
            : <PlainTable label="Sessions of the user" columns={columns} rows={open} id={(session) => session.id} />
        }}
      </Loaded>
    </div>
  )
}
