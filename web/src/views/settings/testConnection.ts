import { api } from '../../api/client'

/** What came of trying a connection. */
export interface Tested {
  reachable: boolean
  detail: string
  /** How long it took, in ms. */
  took_ms: number
  tested_at: string
}

type Post = (path: string, init: { params: { path: { id: string } } }) => Promise<{ data?: Tested }>

/** Tries whether a server is reached as its connection says, without doing anything there. */
export async function testConnection(id: string): Promise<Tested | undefined> {
  const post = api.POST as unknown as Post
  return (await post('/api/v1/connections/{id}/test', { params: { path: { id } } })).data
}
