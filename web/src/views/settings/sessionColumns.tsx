import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { When } from '../../parts/When'

export type Session = Schema<'UserSessionOut'>

/** The columns of sessions; `end` is what ends one. */
export const sessionColumns = (end: (session: Session) => ReactNode): PlainColumn<Session>[] => [
  { name: 'From', cell: (session) => <Outside mono>{session.ip_address}</Outside> },
  { name: 'With', cell: (session) => <Outside>{session.user_agent}</Outside> },
  { name: 'Opened', cell: (session) => <When at={session.created_at} /> },
  { name: 'Last used', cell: (session) => <When at={session.last_activity} /> },
  { name: 'Ends', cell: (session) => <When at={session.expires_at} /> },
  { name: 'Actions', cell: end },
]
