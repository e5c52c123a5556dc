import { queryOptions } from '@tanstack/react-query'
import { api } from '../api/client'
import { readLines, type Lines } from '../logic/jsonlines'

type Listed =
  | '/api/v1/resources/export'
  | '/api/v1/resource-edges/export'
  | '/api/v1/environments/export'
  | '/api/v1/drift-metrics/export'

/**
 * A whole list, read as the file the server writes of it, in one request; `most` items of it. For what
 * is drawn and not paged through. The key begins with the path, which is what changes go by.
 */
export function whole<Item>(path: Listed, most: number, query: Record<string, unknown> = {}) {
  return queryOptions({
    queryKey: [path, query, most] as const,
    queryFn: async ({ signal }): Promise<Lines<Item>> => {
      const { data } = await api.GET(path, { params: { query }, parseAs: 'stream', signal })
      return data ? readLines<Item>(data, most) : { items: [], more: false }
    },
  })
}
