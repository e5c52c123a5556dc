import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '../api/queries'
import { useAccount, useMay } from '../app/session'
import { Outside } from './Outside'

/** The actor of what nobody in particular does, the same in every tenant. */
const ITSELF = '00000000-0000-7000-8000-0000000000c5'

/**
 * Who it was. Names are for whoever manages people; others see how the log names an actor, and
 * themselves as `you`.
 */
export function ActorName({ id }: { id?: string | null }) {
  const account = useAccount()
  const may = useMay('identity.manage')
  const itself = id?.endsWith(ITSELF) ?? false
  const known = may && !!id && !itself && id !== account.actor_id
  const users = useQuery({
    ...get('/api/v1/users', { params: { query: { actor_id: [id ?? ''], limit: 1 } } }),
    enabled: known,
  })
  const user = users.data?.items[0]
  const service = useQuery({
    ...get('/api/v1/service-accounts/{id}', { params: { path: { id: id ?? '' } } }),
    enabled: known && users.data !== undefined && !user,
    retry: false,
  })
  if (!id) return <span className="faint">–</span>
  if (itself) return <span>Countersign</span>
  if (id === account.actor_id) return <span>you</span>
  const name = user ? user.full_name || user.username : service.data?.name
  if (!name) return <span className="mono">{id}</span>
  return <Tooltip label={id}><span><Outside>{name}</Outside></span></Tooltip>
}
