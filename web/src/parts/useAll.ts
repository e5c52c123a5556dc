import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'

/** Rows fetched at most of a list that is shown whole. */
const MOST = 2_000

interface All<Row> {
  data: Row[] | undefined
  error: Error | null
  isPending: boolean
  refetch: () => unknown
  /** Whether there are more than are fetched. */
  more: boolean
}

/** A list that is short by its nature, whole: page after page is fetched until there are no more. */
export function useAll<Row>(query: UseInfiniteQueryResult<InfiniteData<{ items: Row[] }>>): All<Row> {
  const { data: found, hasNextPage, isFetchingNextPage, isError, fetchNextPage, error, isPending, refetch } = query
  const data = useMemo(() => found?.pages.flatMap((page) => page.items), [found])
  const full = (data?.length ?? 0) >= MOST
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && !full) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isError, full, fetchNextPage])
  return { data, error, isPending, refetch, more: full && hasNextPage }
}
