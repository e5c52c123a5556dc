/** What a list of resources is narrowed to; what is absent narrows nothing. */
export interface EstateFilter {
  q?: string
  environment?: string
  kind?: string
  type?: string
  provider?: string
  status?: string
}

/** What a filter looks at. */
interface Filtered {
  name: string
  hostname?: string | null
  owner_team?: string | null
  external_id?: string | null
  environment_id: string
  kind?: string
  type?: string
  provider?: string
  status?: string
}

/** Whether a resource is what a filter leaves: the same as the server's list would say. */
export function matches(resource: Filtered, filter: EstateFilter): boolean {
  const equal = (wanted: string | undefined, is: string | null | undefined) => !wanted || wanted === is
  const text = filter.q?.toLowerCase()
  const holds = (value: string | null | undefined) => value?.toLowerCase().includes(text ?? '') ?? false
  return (
    equal(filter.environment, resource.environment_id) && equal(filter.kind, resource.kind) &&
    equal(filter.type, resource.type) && equal(filter.provider, resource.provider) &&
    equal(filter.status, resource.status ?? 'active') &&
    (!text || [resource.name, resource.hostname, resource.owner_team, resource.external_id].some(holds))
  )
}

/** The filter as the API's list takes it. */
export function queryOf({ q, environment, kind, type, provider, status }: EstateFilter) {
  const some = (value: string | undefined) => (value ? [value] : undefined)
  return {
    q: q || undefined,
    environment_id: some(environment),
    kind: some(kind),
    type: some(type),
    provider: some(provider),
    status: some(status),
  }
}

/** What a plan changes, and how far the server says that it reaches. */
export interface PlanReach {
  targets: { id: string; name: string }[]
  /** `namespace`, `cluster` or `account`. */
  scope?: string
  /** Whether some step cannot be undone. */
  irreversible?: boolean
  /** Classes of the environments it touches. */
  environments: string[]
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** Reads a plan's document and its blast radius, which the API gives as objects without a shape. */
export function reachOf(document: unknown, blastRadius: unknown): PlanReach {
  const { scope, irreversible, environments } = record(blastRadius)
  const targets = list(record(document).targets).flatMap((target) => {
    const { resource_id, name } = record(target)
    if (typeof resource_id !== 'string') return []
    return [{ id: resource_id, name: typeof name === 'string' ? name : resource_id }]
  })
  return {
    targets,
    scope: typeof scope === 'string' ? scope : undefined,
    irreversible: typeof irreversible === 'boolean' ? irreversible : undefined,
    environments: list(environments).filter((one) => typeof one === 'string'),
  }
}

/** A node on a drawing. */
export interface Spot {
  id: string
  x: number
  y: number
}

type Way = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

/** Whether a key goes somewhere on a drawing. */
export const isWay = (key: string): key is Way => /^Arrow(Left|Right|Up|Down)$/.test(key)

/**
 * The nearest spot in a direction: what is straight ahead counts as nearer than what lies aside, and
 * what lies more aside than ahead does not count. None where there is none.
 */
export function beside(spots: Spot[], from: Spot, way: Way): string | undefined {
  const level = way === 'ArrowLeft' || way === 'ArrowRight'
  const sign = way === 'ArrowLeft' || way === 'ArrowUp' ? -1 : 1
  let best: { id: string; far: number } | undefined
  for (const spot of spots) {
    const [dx, dy] = [spot.x - from.x, spot.y - from.y]
    const ahead = sign * (level ? dx : dy)
    const aside = Math.abs(level ? dy : dx)
    if (ahead <= 0 || aside > 2 * ahead) continue
    const far = ahead + 2 * aside
    if (!best || far < best.far || (far === best.far && spot.id < best.id)) best = { id: spot.id, far }
  }
  return best?.id
}
