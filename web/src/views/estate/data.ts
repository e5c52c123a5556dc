import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import type { Lines } from '../../logic/jsonlines'
import { around, radius } from '../../logic/radius'
import { worstOf } from '../../logic/worst'
import { whole } from '../../parts/whole'

export type Resource = Schema<'ResourceOut'>
export type Environment = Schema<'EnvironmentOut'>
export type Tie = Schema<'ResourceEdgeOut'>

/** Resources drawn at once: more are neither read nor laid out in a moment. */
export const MOST_RESOURCES = 2_000
/** Resources drawn around one that was chosen, where the estate is too large to be drawn whole. */
export const MOST_AROUND = 300
const MOST_EDGES = 10_000
const MOST_ENVIRONMENTS = 1_000
/** Edges of a few resources asked for at most. */
const MOST_TIES = 1_000
/** Ids asked for in one request: a URL of more is too long for some proxies. */
const ASKED = 40
const PAGE = 100
/** Requests under way at once. */
const LANES = 6

/** All environments. */
export const useEnvironments = () => useQuery(whole<Environment>('/api/v1/environments/export', MOST_ENVIRONMENTS))

/** All resources, up to as many as can be drawn. */
export const useResources = () => useQuery(whole<Resource>('/api/v1/resources/export', MOST_RESOURCES))

/** All edges, up to as many as can be drawn. */
export const useEdges = () => useQuery(whole<Tie>('/api/v1/resource-edges/export', MOST_EDGES))

/** A part of an estate. */
export interface Part {
  resources: Resource[]
  edges: Tie[]
  /** Whether there was more around than is in it. */
  cut: boolean
}

/**
 * What is around some resources of an estate that is too large to be read whole: what is within
 * `depth` edges of whatever direction, and whatever transitively depends on them.
 */
export function useAround(centre: string[], depth: number, enabled: boolean) {
  return useQuery({
    queryKey: ['/api/v1/resource-edges', 'around', centre, depth] as const,
    enabled: enabled && centre.length > 0,
    queryFn: async ({ signal }): Promise<Part> => {
      const { ids, edges, cut } = await explore(centre, depth, signal)
      const resources = await each(ids, async (id) => {
        const { data } = await api.GET('/api/v1/resources/{id}', { params: { path: { id } }, signal })
        return data
      })
      const known = new Set(ids)
      return {
        resources: resources.filter((one) => one !== undefined),
        edges: edges.filter((edge) => known.has(edge.from_id) && known.has(edge.to_id)),
        cut,
      }
    },
  })
}

/** Asks for the edges of what is wanted until nothing new is. */
async function explore(centre: string[], depth: number, signal: AbortSignal) {
  const edges = new Map<string, Tie>()
  const known = new Set<string>()
  let cut = false
  for (;;) {
    const ties = [...edges.values()]
    const near = around(centre, ties, depth, MOST_AROUND + 1).ids
    const wanted = new Set([...near, ...radius(centre, ties).map((one) => one.id)])
    const fresh = [...wanted].filter((id) => !known.has(id)).slice(0, MOST_AROUND - known.size)
    cut ||= wanted.size > MOST_AROUND
    if (fresh.length === 0) return { ids: [...known], edges: ties, cut }
    for (const id of fresh) known.add(id)
    for (const { items, more } of await edgesOf(fresh, signal)) {
      cut ||= more
      for (const tie of items) edges.set(tie.id, tie)
    }
  }
}

/** The edges that begin or end at one of these. */
function edgesOf(ids: string[], signal: AbortSignal): Promise<Lines<Tie>[]> {
  const pieces: string[][] = []
  for (let at = 0; at < ids.length; at += ASKED) pieces.push(ids.slice(at, at + ASKED))
  return each(pieces.flatMap((piece) => [{ from_id: piece }, { to_id: piece }]), async (ends) => {
    const items: Tie[] = []
    for (let cursor: string | undefined; ; ) {
      const query = { ...ends, limit: PAGE, cursor }
      const { data } = await api.GET('/api/v1/resource-edges', { params: { query }, signal })
      items.push(...(data?.items ?? []))
      cursor = data?.next_cursor ?? undefined
      if (cursor === undefined || items.length >= MOST_TIES) return { items, more: cursor !== undefined }
    }
  })
}

/** Does something for each, a few at a time; the answers come in the order of the items. */
async function each<Item, Answer>(items: Item[], act: (item: Item) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  const waiting = items.entries()
  const lane = async () => {
    for (const [at, item] of waiting) answers[at] = await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane))
  return answers
}

/** Open findings read of the whole estate, the worst first: as many as the server gives at once. */
export const MOST_FINDINGS = 1_000

/** What is open on resources, and whether more is open than was read. */
export function useWorst() {
  return useQuery({
    queryKey: ['/api/v1/findings', 'worst open'] as const,
    queryFn: async ({ signal }) => {
      const query = { status: ['open'], sort: '-severity_rank' as const, limit: MOST_FINDINGS }
      const { data } = await api.GET('/api/v1/findings', { params: { query }, signal })
      const more = data?.has_next ?? false
      return { worst: worstOf(data?.items ?? [], more), more }
    },
  })
}
