import { Alert, Anchor, Select, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useMemo } from 'react'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import { matches, reachOf, type EstateFilter } from '../../logic/estate'
import { around, radius } from '../../logic/radius'
import type { Worst } from '../../logic/worst'
import { Empty, Failed, Waiting } from '../../parts/State'
import {
  MOST_AROUND, MOST_FINDINGS, MOST_RESOURCES, useAround, useEdges, useEnvironments, useResources, useWorst, type Part,
  type Resource, type Tie,
} from './data'
import { Find } from './Find'
import { Radius } from './Radius'
import classes from './Estate.module.css'

const Graph = lazy(() => import('./Graph').then(({ Graph }) => ({ default: Graph })))

/** Edges away from what was chosen, where the estate is too large to be drawn whole and nobody says otherwise. */
const USUAL_DEPTH = 2
const DEPTHS = [1, 2, 3, 4, 5]

/** The graph, beside it in words what depends on what was chosen or on what a plan changes. */
export function Picture({ filter }: { filter: EstateFilter }) {
  const [search, set] = useSearch()
  const plan = useQuery({
    ...get('/api/v1/plans/{id}', { params: { path: { id: search.plan ?? '' } } }), enabled: !!search.plan,
  })
  const reach = useMemo(() => plan.data && reachOf(plan.data.document, plan.data.blast_radius), [plan.data])
  const selected = search.plan ? undefined : search.selected
  const roots = useMemo(
    () => (reach ? reach.targets.map((target) => target.id) : selected ? [selected] : []),
    [reach, selected],
  )
  const depth = DEPTHS.find((one) => String(one) === search.depth)
  const { part, large, failed, waiting, retry } = usePart(roots, depth ?? USUAL_DEPTH)
  const environments = useEnvironments().data
  const findings = useWorst()
  const worst = findings.data
  const shown = useShown(part, roots, large ? undefined : depth, filter)
  const named = useMemo(() => new Map((environments?.items ?? []).map((one) => [one.id, one])), [environments])
  const open = useMemo(() => worst?.worst ?? new Map<string, Worst>(), [worst])
  const choose = useCallback(
    (id: string | undefined) => set({ show: 'graph', plan: undefined, selected: id === selected ? undefined : id }),
    [set, selected],
  )

  const problem = plan.error ?? failed
  if (problem) return <Failed problem={asProblem(problem)} retry={plan.error ? () => void plan.refetch() : retry} />
  if (search.plan && plan.isPending) return <Waiting label="Reading the plan" />
  const nothing = part && part.resources.length === 0
  return (
    <>
      <div className={classes.bar}>
        <Find onFound={choose} />
        <Select
          label="Drawn" size="xs" w={190} allowDeselect={false}
          value={String(depth ?? (large ? USUAL_DEPTH : 'all'))}
          disabled={roots.length === 0}
          data={[
            ...(large ? [] : [{ value: 'all', label: 'Everything' }]),
            ...DEPTHS.map((one) => ({ value: String(one), label: `${one} ${one === 1 ? 'step' : 'steps'} around it` })),
          ]}
          onChange={(next) => set({ depth: next === 'all' ? undefined : next ?? undefined })}
        />
        <Text size="xs" className="faint" maw={420}>
          Lines lead from what depends to what it depends on; dashed ones say so the other way round (contains). Arrow
          keys go from one to the next, Enter shows what depends on it.
        </Text>
      </div>
      {worst?.more && (
        <Text size="xs" mb="xs" role="note">
          More than {MOST_FINDINGS.toLocaleString('en')} findings are open: the worst of them are drawn, without how many.
          What shows none may have lesser ones; its page says.
        </Text>
      )}
      {findings.error && !worst && (
        <Failed problem={asProblem(findings.error)} retry={() => void findings.refetch()} />
      )}
      {large && (
        <Alert color="blue" variant="light" mb="xs">
          The estate has more than {MOST_RESOURCES.toLocaleString('en')} resources, or more relations than can be drawn:
          the graph shows what is around one of them, {MOST_AROUND} resources at most. What depends on it is followed to
          its end, within those.
        </Alert>
      )}
      {nothing && !large ? (
        <Empty title="There is nothing to draw yet">
          Resources stand here once they are added. <Anchor component={Link} to="/welcome">First steps</Anchor>
        </Empty>
      ) : (
        <div className={classes.split}>
          <div className={classes.canvas}>
            {waiting || !part ? (
              large && roots.length === 0
                ? <Empty title="Choose a resource">Find one above, or go to the graph from the page of one.</Empty>
                : <Waiting label="Reading the estate" />
            ) : (
              <Suspense fallback={<Waiting label="Loading the graph" />}>
                <Graph
                  resources={shown.resources} edges={shown.edges} environments={named} worst={open} roots={roots}
                  reached={shown.reached} changing={reach !== undefined} onChoose={choose}
                />
              </Suspense>
            )}
          </div>
          <aside className={classes.side} aria-label="What depends on it" tabIndex={0}>
            {roots.length > 0 && !part ? <Waiting rows={4} /> : (
              <Radius
                roots={roots} known={shown.known} reached={shown.list} environments={named} worst={open}
                cut={part?.cut ?? false}
                plan={search.plan && reach ? { id: search.plan, summary: plan.data?.summary ?? '', reach } : undefined}
                onChoose={choose}
              />
            )}
          </aside>
        </div>
      )}
    </>
  )
}

/** The estate, or what is around `roots` where it is too large. */
function usePart(roots: string[], depth: number) {
  const resources = useResources()
  const edges = useEdges()
  const large = (resources.data?.more ?? false) || (edges.data?.more ?? false)
  const near = useAround(roots, depth, large)
  const part = useMemo((): Part | undefined => {
    if (large) return near.data
    if (!resources.data || !edges.data) return undefined
    return { resources: resources.data.items, edges: edges.data.items, cut: false }
  }, [large, near.data, resources.data, edges.data])
  const asked = large ? [near] : [resources, edges]
  return {
    part,
    large,
    failed: asked.find((one) => one.error && !one.data)?.error,
    waiting: asked.some((one) => one.isPending),
    retry: () => asked.forEach((one) => void one.refetch()),
  }
}

const NONE: Part = { resources: [], edges: [], cut: false }

/**
 * What of a part is drawn, and what of it depends on the roots. Where nothing narrows it, it stays the
 * same whatever is chosen.
 */
function useShown(part: Part = NONE, roots: string[], depth: number | undefined, filter: EstateFilter) {
  const known = useMemo(() => new Map(part.resources.map((one) => [one.id, one])), [part])
  const list = useMemo(() => radius(roots, part.edges), [roots, part])
  const reached = useMemo(() => new Map(list.map((one) => [one.id, one])), [list])
  const sorted = useMemo(() => ends([...part.resources].sort(byName), part.edges), [part])
  const narrowed = JSON.stringify(filter)
  const shown = useMemo(() => {
    const wanted = JSON.parse(narrowed) as EstateFilter
    const near = depth && roots.length > 0 ? new Set(around(roots, part.edges, depth, Infinity).ids) : undefined
    if (!near && !Object.values(wanted).some(Boolean)) return sorted
    // A filter never hides what depends on what was chosen: the picture would say less than is so.
    const drawn = (one: Resource) =>
      roots.includes(one.id) || reached.has(one.id) || ((!near || near.has(one.id)) && matches(one, wanted))
    return ends(sorted.resources.filter(drawn), sorted.edges)
  }, [part, sorted, roots, depth, narrowed, reached])
  return { known, list, reached, ...shown }
}

const byName = (a: Resource, b: Resource) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1)

/** Resources with those edges whose two ends are among them. */
function ends(resources: Resource[], edges: Tie[]) {
  const ids = new Set(resources.map((one) => one.id))
  return { resources, edges: edges.filter((edge) => ids.has(edge.from_id) && ids.has(edge.to_id)) }
}
