import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { daysOf, type Period } from '../../logic/overview'
import { whole } from '../../parts/whole'
import { useToday } from './today'

/** What no event tells of is asked for again this often: a wall shows it for days. */
const EVERY_MS = 5 * 60_000
const MOST_DAYS = 40_000

/** How things stand. */
export const useDashboard = () => useQuery({ ...get('/api/v1/dashboard'), refetchInterval: EVERY_MS })

/** How things went. */
export const useTrends = (days: Period) =>
  useQuery({ ...get('/api/v1/dashboard/trends', { params: { query: { days } } }), refetchInterval: EVERY_MS })

/** Drift of a period, summed up. */
export function useDriftSummary(days: Period) {
  const [from] = daysOf(days, Date.parse(useToday()))
  return useQuery({
    ...get('/api/v1/analytics/drifts/summary', { params: { query: { from } } }), refetchInterval: EVERY_MS,
  })
}

/** Drift by environment and day. */
export function useDriftDays(days: Period) {
  const [from] = daysOf(days, Date.parse(useToday()))
  return useQuery({
    ...whole<Schema<'DriftDayOut'>>('/api/v1/drift-metrics/export', MOST_DAYS, { date_from: from }),
    refetchInterval: EVERY_MS,
  })
}
