import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { readReports, type TriggerReport } from '../../logic/triggerReport'

/** A recorded alert, and how the triggers of a document came out for it. */
export interface MatchedAlert {
  id: string
  title: string
  severity: string
  receivedAt: string
  matched: boolean
  reports: TriggerReport[]
}

/** Which recorded alerts a document would have matched. */
export interface Matching {
  seen: number
  /** There were more than were looked at. */
  more: boolean
  alerts: MatchedAlert[]
}

/** Alerts looked at, at most. */
const LOOKED_AT = 200

/** Which alerts of the last days a document's triggers would have matched; the text need not be saved. */
export function useMatching(yaml: string, days: number) {
  return useQuery({
    queryKey: ['/api/v1/runbooks/match', days, yaml],
    queryFn: async ({ signal }): Promise<Matching> => {
      const { data } = await api.POST('/api/v1/runbooks/match', { body: { yaml, days, limit: LOOKED_AT }, signal })
      if (!data) throw new Error('the server said nothing of what it tried')
      return readMatching(data)
    },
    placeholderData: keepPreviousData,
    gcTime: 60_000,
    retry: false,
  })
}

const readMatching = ({ seen, more, alerts }: Schema<'MatchOut'>): Matching => ({
  seen,
  more,
  alerts: alerts.map((alert) => ({
    id: alert.finding_id,
    title: alert.title,
    severity: alert.severity,
    receivedAt: alert.received_at,
    matched: alert.matched,
    reports: readReports(alert.report),
  })),
})
