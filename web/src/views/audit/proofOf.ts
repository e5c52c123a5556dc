import { api } from '../../api/client'

/** The proof of an event, as the file it is. */
export async function proofOf(id: string, signal?: AbortSignal): Promise<string> {
  const params = { path: { id } }
  const { data } = await api.GET('/api/v1/audit/events/{id}/proof', { params, parseAs: 'text', signal })
  return data ?? ''
}
