import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'

/** Rows fetched at most of a list that is shown whole. */
const MOST = 2_000
/** What changed is asked for again after so long, and after an error, in ms. */
const REST_MS = 2_000
const REST_AFTER_ERROR_MS = 15_000

interface All<Row> {
  data: Row[] | undefined
  error: Error | null
  isPending: boolean
  refetch: () => unknown
  /** Whether there are more than are fetched. */
  more: boolean
}

/**
 * A list that is short by its nature, whole: page after page is fetched until there are no more.
 * Nobody can say that it is old where it stands, so it is asked for again when something changed
 * however many pages it has (`app/askAgain` leaves long ones to those who show them).
 */
export function useAll<Row>(query: UseInfiniteQueryResult<InfiniteData<{ items: Row[] }>>): All<Row> {
  const { data: found, hasNextPage, isFetchingNextPage, isError, fetchNextPage, error, isPending, refetch, isStale, isFetching } = query
  const data = useMemo(() => found?.pages.flatMap((page) => page.items), [found])
  const full = (data?.length ?? 0) >= MOST
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && !full) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isError, full, fetchNextPage])
  useEffect(() => {
    if (!isStale || isFetching || found === undefined) return
    const timer = setTimeout(() => void refetch(), isError ? REST_AFTER_ERROR_MS : REST_MS)
    return () => clearTimeout(timer)
  }, [isStale, isFetching, isError, found, refetch])
  return { data, error, isPending, refetch, more: full && hasNextPage }
}
