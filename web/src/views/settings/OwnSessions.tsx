import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
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
        api.DELETE('/api/v1/account/sessions/{id}', { params: { path: { id: session.id } } })
          .then(() => touch('account', 'sessions'))}
    >
      Whoever uses it must sign in again. If it is this one, that is you.
    </Sure>
  )
}

/** One's own open sessions. */
export function OwnSessions() {
  const sessions = useQuery(get('/api/v1/account/sessions'))
  return (
    <Section title="Your sessions">
      <Text size="sm" className="faint" mb="xs">One you do not know? End it, and change your password.</Text>
      <Loaded query={sessions} rows={3}>
        {(rows) => <PlainTable label="Your sessions" columns={columns} rows={rows} id={(session) => session.id} />}
      </Loaded>
    </Section>
  )
}
