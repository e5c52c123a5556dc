import { useQuery } from '@tanstack/react-query'
import { get } from '../api/queries'
import { useAccount, useMay } from '../app/session'

/** The actor of what nobody in particular does, the same in every tenant. */
const ITSELF = '00000000-0000-7000-8000-0000000000c5'

interface Actor {
  /** What to call it; absent where nobody says. */
  name: string | undefined
  /** `user`, `service` or `agent`, once it is known. */
  type: string | undefined
  /** Its name is on its way. */
  waiting: boolean
  /** The name is a word of ours, and none of theirs. */
  ours: boolean
}

/** Who an actor is, asked for once a session; `told` is its name where whatever names it says it as well. */
export function useActor(id: string | null | undefined, told?: string | null): Actor {
  const account = useAccount()
  const may = useMay('plans.read')
  const itself = id?.endsWith(ITSELF) ?? false
  const own = id === account.actor_id
  const unknown = may && !!id && !told && !itself && !own
  const { data, isPending } = useQuery({
    ...get('/api/v1/actors/{id}', { params: { path: { id: id ?? '' } } }),
    enabled: unknown,
    retry: false,
    retryOnMount: false,
    staleTime: 'static',
    gcTime: Infinity,
  })
  if (itself) return { name: 'Countersign', type: 'service', waiting: false, ours: true }
  if (own) return { name: 'you', type: 'user', waiting: false, ours: true }
  return { name: told || data?.display_name, type: data?.type, waiting: unknown && isPending, ours: false }
}
