import { api } from '../../api/client'

/** What a try of a connection found. */
export interface Tried {
  reachable: boolean
  /** In words: what answered, or what stood in the way. */
  detail: string
  took_ms: number
  tested_at: string
}

/** Connects, logs in and leaves again. */
export async function tryConnection(id: string): Promise<Tried> {
  const call = api.POST as unknown as (path: string, init: object) => Promise<{ data: Tried }>
  const { data } = await call('/api/v1/connections/{id}/test', { params: { path: { id } } })
  return data
}
