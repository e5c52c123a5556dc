import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { daysOf, type Manual, type Period } from '../../logic/overview'
import { whole } from '../../parts/whole'

/** What no event tells of is asked for again this often: a wall shows it for days. */
const EVERY_MS = 5 * 60_000
const MOST_DAYS = 40_000
const PAGE = 100
/** Executions by hand that are looked through: beyond it the figure is a lower bound. */
const MOST_PAGES = 10

/** How things stand. */
export const useDashboard = () => useQuery({ ...get('/api/v1/dashboard'), refetchInterval: EVERY_MS })

/** How things went. */
export const useTrends = (days: Period) =>
  useQuery({ ...get('/api/v1/dashboard/trends', { params: { query: { days } } }), refetchInterval: EVERY_MS })

/** Drift of a period, summed up. */
export function useDriftSummary(days: Period) {
  const [from] = daysOf(days, Date.now())
  return useQuery({
    ...get('/api/v1/analytics/drifts/summary', { params: { query: { from } } }), refetchInterval: EVERY_MS,
  })
}

/** Drift by environment and day. */
export function useDriftDays(days: Period) {
  const [from] = daysOf(days, Date.now())
  return useQuery({
    ...whole<Schema<'DriftDayOut'>>('/api/v1/drift-metrics/export', MOST_DAYS, { date_from: from }),
    refetchInterval: EVERY_MS,
  })
}

/** Executions that ended in a period and are of runbooks that run only when a person asks. */
export function useManual(days: Period) {
  const [from] = daysOf(days, Date.now())
  return useQuery({
    queryKey: ['/api/v1/executions', 'by hand', from] as const,
    refetchInterval: EVERY_MS,
    queryFn: async ({ signal }): Promise<Manual & { more: boolean }> => {
      const found = { approved: 0, allowed: 0 }
      let cursor: string | undefined
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = { mode: ['manual'], completed_at_from: `${from}T00:00:00Z`, limit: PAGE, cursor }
        const { data } = await api.GET('/api/v1/executions', { params: { query }, signal })
        for (const { approval_id } of data?.items ?? []) found[approval_id ? 'approved' : 'allowed'] += 1
        cursor = data?.next_cursor ?? undefined
        if (cursor === undefined) break
      }
      return { ...found, more: cursor !== undefined }
    },
  })
}
