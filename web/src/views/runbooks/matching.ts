import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import { fields, items, number, text } from '../../logic/json'
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
      const call = api.POST as unknown as (path: string, init: object) => Promise<{ data: unknown }>
      const { data } = await call('/api/v1/runbooks/match', { body: { yaml, days, limit: LOOKED_AT }, signal })
      return readMatching(data)
    },
    placeholderData: keepPreviousData,
    gcTime: 60_000,
    retry: false,
  })
}

function readMatching(value: unknown): Matching {
  const given = fields(value)
  const alerts = items(given.alerts).map((one): MatchedAlert => {
    const alert = fields(one)
    return {
      id: text(alert.finding_id),
      title: text(alert.title),
      severity: text(alert.severity),
      receivedAt: text(alert.received_at),
      matched: alert.matched === true,
      reports: readReports(alert.report),
    }
  })
  return { seen: number(given.seen) ?? alerts.length, more: given.more === true, alerts }
}
