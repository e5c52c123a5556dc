import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'

/**
 * Asks again for what lies in collections of the API (`users` is everything below `/api/v1/users`).
 * The event stream does it too; this does not wait for it.
 */
export function useTouch(): (...collections: string[]) => Promise<void> {
  const queries = useQueryClient()
  return useCallback(
    (...collections) =>
      queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => typeof path === 'string' && collections.includes(path.split('/')[3] ?? ''),
      }),
    [queries],
  )
}
