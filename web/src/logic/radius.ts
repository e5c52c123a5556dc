/** How two resources hang together, as the API tells it. */
export interface Edge {
  from_id: string
  to_id: string
  relation: string
}

/** Something that notices when others fail. */
export interface Reached {
  id: string
  /** Edges between it and the nearest of those it began with. */
  steps: number
  /** What it depends on, on the shortest way. */
  through: string
  /** How the two hang together. */
  relation: string
}

/** Relations whose start bears their end: what is contained depends on what contains it. */
const BEARING = new Set([
  'contains', 'hosts', 'runs', 'provides', 'serves', 'supplies', 'feeds', 'powers', 'manages', 'owns', 'exposes',
  'required_by', 'used_by', 'depended_on_by',
])

/**
 * Whether the start of an edge bears its end (`contains`): then its end depends on its start. Of all
 * other relations (`depends_on`, `reaches`, `runs_on`, and words nobody knows here) the start depends
 * on the end: relations are free words, and what is drawn too wide is safer than what is drawn too narrow.
 */
export function bears(relation: string): boolean {
  return BEARING.has(relation.toLowerCase().replaceAll(/[\s-]+/g, '_'))
}

/** Who depends and on what, by an edge. */
export function dependence(edge: Edge): { who: string; on: string } {
  return bears(edge.relation) ? { who: edge.to_id, on: edge.from_id } : { who: edge.from_id, on: edge.to_id }
}

/**
 * Everything that transitively depends on `roots`, nearest first, then by id; the roots are not among it.
 * Circles end where they began.
 */
export function radius(roots: string[], edges: Edge[]): Reached[] {
  const dependants = new Map<string, { who: string; relation: string }[]>()
  for (const edge of edges) {
    const { who, on } = dependence(edge)
    const known = dependants.get(on)
    if (known) known.push({ who, relation: edge.relation })
    else dependants.set(on, [{ who, relation: edge.relation }])
  }
  const seen = new Set(roots)
  const reached: Reached[] = []
  let ring = [...seen].sort()
  for (let steps = 1; ring.length > 0; steps++) {
    const next: Reached[] = []
    for (const through of ring) {
      for (const { who, relation } of dependants.get(through) ?? []) {
        if (seen.has(who)) continue
        seen.add(who)
        next.push({ id: who, steps, through, relation })
      }
    }
    next.sort((a, b) => (a.id < b.id ? -1 : 1))
    reached.push(...next)
    ring = next.map((one) => one.id)
  }
  return reached
}

/** What is around some resources. */
export interface Around {
  /** Those resources and what is around them, nearest first. */
  ids: string[]
  /** Whether there was more within `depth` steps than `most`. */
  cut: boolean
}

/** What is at most `depth` edges, of whatever direction, away from `centre`; `most` resources of it. */
export function around(centre: string[], edges: Edge[], depth: number, most: number): Around {
  const beside = new Map<string, string[]>()
  const join = (a: string, b: string) => {
    const known = beside.get(a)
    if (known) known.push(b)
    else beside.set(a, [b])
  }
  for (const { from_id, to_id } of edges) {
    join(from_id, to_id)
    join(to_id, from_id)
  }
  const seen = new Set(centre)
  let ring = [...seen]
  for (let steps = 0; steps < depth && ring.length > 0; steps++) {
    const next = [...new Set(ring.flatMap((id) => beside.get(id) ?? []))].filter((id) => !seen.has(id)).sort()
    for (const id of next) {
      if (seen.size >= most) return { ids: [...seen], cut: true }
      seen.add(id)
    }
    ring = next
  }
  return { ids: [...seen], cut: false }
}
