import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, type ReactNode } from 'react'
import { api, signedOut, type Schema } from '../api/client'
import { asProblem } from '../api/problem'
import { get } from '../api/queries'
import { learnRoles } from '../logic/roles'
import { Waiting, Failed } from '../parts/State'
import { Login } from '../views/login/Login'
import { NewPassword } from '../views/login/NewPassword'

/** Who is signed in. */
export type Account = Schema<'AccountOut'>

const Session = createContext<Account | undefined>(undefined)

/** Who is signed in; only below `SignedIn`. */
export function useAccount(): Account {
  const account = use(Session)
  if (!account) throw new Error('useAccount is for views below SignedIn')
  return account
}

/** Whether whoever is signed in has a permission, by its name in the table: `approvals.vote`. */
export function useMay(permission: string): boolean {
  return useAccount().permissions.includes(permission)
}

/**
 * Who may do what, so that views can say it; where it cannot be told, they name the permission instead.
 * The table changes with the server alone.
 */
function useRoles(enabled: boolean) {
  return useQuery({
    queryKey: ['/api/v1/permissions'] as const,
    queryFn: async ({ signal }) => {
      const { data } = await api.GET('/api/v1/permissions', { signal })
      learnRoles(data ?? [])
      return data ?? []
    },
    enabled, staleTime: Infinity, gcTime: Infinity, retry: false,
  })
}

/** Shows its children to whoever is signed in, and the way to sign in to others. */
export function SignedIn({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const account = useQuery({ ...get('/api/v1/account'), staleTime: 60_000, retry: false })
  const roles = useRoles(account.data?.must_change_password === false)
  const { refetch } = account
  useEffect(() => {
    // Many requests may learn it at once: one question is enough.
    const ended = () => void refetch({ cancelRefetch: false })
    signedOut.addEventListener('signed-out', ended)
    return () => signedOut.removeEventListener('signed-out', ended)
  }, [refetch])

  if (account.isPending) return <Waiting label="Looking who you are" />
  if (account.error) {
    const problem = asProblem(account.error)
    // Whoever was signed in and is offline stays where they are.
    if (problem.status === 401) return <Login onDone={() => void queries.resetQueries()} />
    if (!account.data) return <Failed problem={problem} retry={() => void refetch()} />
  }
  const who = account.data
  if (!who) return null
  if (who.must_change_password) return <NewPassword onDone={() => void queries.resetQueries()} />
  if (roles.isPending) return <Waiting label="Looking who may do what" />
  return <Session value={who}>{children}</Session>
}
