import { Problem } from '../api/problem'

/** Something as it was seen, and how the server names that state (its ETag). */
export interface Seen<T> {
  value: T
  tag: string | undefined
}

/** What a call of the API answered, with the name of the state it showed. */
export async function seen<T>(call: Promise<{ data?: T; response: Response }>): Promise<Seen<T>> {
  const { data, response } = await call
  if (data === undefined) throw new Problem(response.status, { title: 'The server answered nothing' })
  return { value: data, tag: response.headers.get('etag') ?? undefined }
}

/** The header that lets a change pass only while things are as they were seen. */
export const ifSeen = (tag: string | undefined) => (tag === undefined ? {} : { 'If-Match': tag })
