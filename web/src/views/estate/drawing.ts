import { MarkerType, type Edge as FlowEdge, type Node } from '@xyflow/react'
import { layout, type Measures } from '../../logic/layers'
import { dependence, type Reached } from '../../logic/radius'
import { count } from '../../logic/words'
import { worstSaid, type Worst } from '../../logic/worst'
import type { Environment, Resource, Tie } from './data'
import { nameOf } from './naming'

/** How a node stands to what was chosen: it is it, it depends on it, or neither. */
export type Standing = 'chosen' | 'felt' | 'plain'

/** What a node shows. */
export interface ResourceData extends Record<string, unknown> {
  name: string
  kind: string
  standing: Standing
  /** `2 steps away`, `changes`, or nothing. */
  note: string
  retired: boolean
  worst: Worst | undefined
  /** All of it in a sentence. */
  said: string
  /** Whether Tab leads to it. */
  current: boolean
}

/** What the frame of an environment shows. */
export interface EnvironmentData extends Record<string, unknown> {
  name: string
  class: string
  size: string
}

export type ResourceNode = Node<ResourceData, 'resource'>
export type EnvironmentNode = Node<EnvironmentData, 'environment'>

/** How large a resource is drawn, in px. */
export const SPOT = { width: 188, height: 52 }
const MEASURES: Measures = { ...SPOT, gapX: 84, gapY: 18, padding: 18, heading: 44 }
/** What covers what: lines run behind what they connect. */
const OVER = { frame: 0, line: 1, onWay: 2, spot: 3 }
/** Above this many lines their relations are not written on them: they would cover what is drawn. */
const MOST_LABELS = 24

/** What is drawn. */
export interface Shown {
  /** In the order in which they are to stand where nothing else decides. */
  resources: Resource[]
  edges: Tie[]
  environments: Map<string, Environment>
  worst: Map<string, Worst>
  roots: string[]
  reached: Map<string, Reached>
  /** Whether the roots are what a plan changes. */
  changing: boolean
}

/** Where everything is. */
export interface Placed {
  /** Frames first, as the library wants parents. */
  frames: EnvironmentNode[]
  /** Relative to their frame. */
  inside: Map<string, { x: number; y: number }>
  /** On the whole drawing. */
  whole: Map<string, { id: string; x: number; y: number }>
}

/** Lays out resources by environment. Only what is there and what hangs together counts, not what is chosen. */
export function place({ resources, edges, environments }: Pick<Shown, 'resources' | 'edges' | 'environments'>): Placed {
  const places = resources.map(({ id, environment_id }) => ({ id, group: environment_id }))
  places.sort((a, b) => nameOf(environments, a.group).localeCompare(nameOf(environments, b.group)))
  // Arrows go from who depends to what it depends on, whatever the relation's word.
  const arrows = edges.map((edge) => {
    const { who, on } = dependence(edge)
    return { from: who, to: on }
  })
  const drawn = layout(places, arrows, MEASURES)
  const sizes = new Map<string, number>()
  for (const { group } of places) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  const frames = [...drawn.groups].map(([id, { x, y, width, height }]): EnvironmentNode => ({
    id,
    type: 'environment',
    position: { x, y },
    width,
    height,
    measured: { width, height },
    zIndex: OVER.frame,
    data: {
      name: nameOf(environments, id),
      class: environments.get(id)?.class ?? '',
      size: count(sizes.get(id) ?? 0, 'resource'),
    },
    domAttributes: UNNAMED,
  }))
  const whole: Placed['whole'] = new Map()
  for (const { id, group } of places) {
    const [frame, at] = [drawn.groups.get(group), drawn.nodes.get(id)]
    if (frame && at) whole.set(id, { id, x: frame.x + at.x, y: frame.y + at.y })
  }
  return { frames, inside: drawn.nodes, whole }
}

/** The library calls every node a `node` to readers of screens; ours are frames and buttons. */
const UNNAMED = { 'aria-roledescription': undefined, 'aria-describedby': undefined }

type Standings = Omit<Shown, 'resources' | 'edges'>

/** How a resource stands, in one word and in a few. */
function standing({ roots, reached, changing }: Standings, id: string): { standing: Standing; note: string } {
  if (roots.includes(id)) return { standing: 'chosen', note: changing ? 'changes' : '' }
  const felt = reached.get(id)
  if (!felt) return { standing: 'plain', note: '' }
  return { standing: 'felt', note: felt.steps === 1 ? 'depends on it' : `${felt.steps} steps away` }
}

/** The node of a resource. */
export function nodeOf(shown: Standings, placed: Placed, resource: Resource, current: boolean): ResourceNode {
  const { id, name, kind = 'resource', environment_id, status } = resource
  const worst = shown.worst.get(id)
  const stands = standing(shown, id)
  const environment = nameOf(shown.environments, environment_id)
  const parts = [
    name, kind, environment, status === 'retired' ? 'retired' : '',
    stands.standing === 'chosen' && !stands.note ? 'chosen' : stands.note,
    worst ? worstSaid(worst) : '',
  ]
  const { width, height } = SPOT
  return {
    id,
    type: 'resource',
    parentId: environment_id,
    position: placed.inside.get(id) ?? { x: 0, y: 0 },
    width,
    height,
    measured: { width, height },
    zIndex: OVER.spot,
    data: {
      ...stands, name, kind, worst, current, retired: status === 'retired', said: parts.filter(Boolean).join(', '),
    },
    domAttributes: UNNAMED,
  }
}

type Told = Pick<Shown, 'edges' | 'roots' | 'reached'>

const ARROW = { type: MarkerType.ArrowClosed, width: 16, height: 16, markerUnits: 'userSpaceOnUse' }

/** The edges of the drawing: from who depends to what it depends on, with the relation as it is told. */
export function flowEdges(shown: Told, classes: Record<string, string | undefined>): FlowEdge[] {
  const { edges, roots, reached } = shown
  const touched = new Set([...roots, ...reached.keys()])
  const all = edges.length <= MOST_LABELS
  const some = reached.size <= MOST_LABELS / 2
  return edges.map((edge): FlowEdge => {
    const { who, on } = dependence(edge)
    const onWay = reached.has(who) && touched.has(on)
    const turned = who !== edge.from_id
    const looks = [classes.way, onWay && classes.onWay, turned && classes.bearing]
    return {
      id: edge.id,
      source: who,
      target: on,
      // The arrow's head is where the relation leads to, as it was told.
      ...(turned ? { markerStart: ARROW } : { markerEnd: ARROW }),
      label: all || (some && onWay) ? edge.relation : undefined,
      className: looks.filter(Boolean).join(' '),
      zIndex: onWay ? OVER.onWay : OVER.line,
      focusable: false,
      selectable: false,
      ariaRole: 'presentation',
      ariaLabel: undefined,
      domAttributes: { 'aria-hidden': true, 'aria-roledescription': undefined },
    }
  })
}
