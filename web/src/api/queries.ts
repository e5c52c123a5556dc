import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch'
import type { PathsWithMethod } from 'openapi-typescript-helpers'
import { api } from './client'
import type { paths } from './schema'

type Gettable = PathsWithMethod<paths, 'get'>
type Init<P extends Gettable> = MaybeOptionalInit<paths[P], 'get'>
type Found<P extends Gettable> = FetchResponse<
  paths[P] extends { get: infer Operation extends Record<string | number, unknown> } ? Operation : never,
  Record<string, never>,
  'application/json'
>['data']

/** Rows fetched at once by lists. */
const PAGE = 200

/**
 * What `GET path` answers, as options for `useQuery`. The key begins with the path as it is
 * written in the API, which is what `app/live` goes by.
 */
export function get<P extends Gettable>(path: P, init?: Init<P>) {
  return queryOptions({
    queryKey: [path, init ?? null] as const,
    queryFn: async ({ signal }) => {
      const call = api.GET as unknown as (path: P, init: object) => Promise<{ data: unknown }>
      const { data } = await call(path, { ...(init ?? {}), signal })
      return data as NonNullable<Found<P>>
    },
  })
}

type Paged<P extends Gettable> = NonNullable<Found<P>> extends { items: (infer Item)[] } ? Item : never
type QueryOf<P extends Gettable> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never

/** What a list of the API answers, page by page, as options for `useInfiniteQuery`. */
export function pages<P extends Gettable>(path: P, query?: QueryOf<P>, limit = PAGE) {
  return infiniteQueryOptions({
    queryKey: [path, 'pages', query ?? null, limit] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const call = api.GET as unknown as (path: P, init: object) => Promise<{ data: unknown }>
      const params = { query: { ...(query as object | undefined), limit, cursor: pageParam } }
      const { data } = await call(path, { params, signal })
      return data as { items: Paged<P>[]; next_cursor?: string | null }
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // A list says that something changed when an event told so, not when it is some minutes old.
    staleTime: Infinity,
    // Comparing every page there is with itself each time one more comes would stop a long list.
    structuralSharing: false,
  })
}
