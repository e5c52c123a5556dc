import { ActionIcon, Group, Tooltip } from '@mantine/core'
import { IconArrowsMaximize, IconMinus, IconPlus } from '@tabler/icons-react'
import { Handle, MiniMap, Panel, Position, ReactFlow, type NodeProps, type ReactFlowInstance } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { createContext, memo, use, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { beside, isWay } from '../../logic/estate'
import { severityColor } from '../../logic/severities'
import { Outside } from '../../parts/Outside'
import {
  flowEdges, nodeOf, place, SPOT, type EnvironmentNode, type ResourceNode, type Shown, type Standing,
} from './drawing'
import classes from './Graph.module.css'

interface Hands {
  choose: (id: string) => void
  move: (id: string, key: string) => boolean
  /** The node that is to take the focus as soon as it is in the page. */
  wanted: { current: string | undefined }
}

const Hold = createContext<Hands>({ choose: () => undefined, move: () => false, wanted: { current: undefined } })

type Flow = ReactFlowInstance<ResourceNode | EnvironmentNode>

/** More nodes than this are in the page only while they are in sight. */
const MOST_IN_PAGE = 300
const SMALLEST = 0.05
const LARGEST = 1.6
/** What is nearer to the edge than this, in px, is not in sight. */
const ROOM = 8
/** Below this zoom names cannot be read. */
const READABLE = 0.6

interface GraphProps extends Shown {
  onChoose: (id: string) => void
}

/** Resources as nodes in the frames of their environments, edges from who depends to what it depends on. */
export function Graph({ onChoose, ...shown }: GraphProps) {
  const { resources, edges, environments, worst, roots, reached, changing } = shown
  const [flow, setFlow] = useState<Flow>()
  const [current, setCurrent] = useState<string>()
  const wanted = useRef<string>(undefined)
  const placed = useMemo(() => place({ resources, edges, environments }), [resources, edges, environments])
  const there = (id: string | undefined) => id !== undefined && placed.whole.has(id)
  const entry = there(current) ? current : roots.find(there) ?? resources[0]?.id

  const spots = useMemo(() => {
    const stands = { environments, worst, roots, reached, changing }
    return resources.map((one) => nodeOf(stands, placed, one, one.id === entry))
  }, [resources, environments, worst, roots, reached, changing, placed, entry])
  const them = useSame(spots)
  const nodes = useMemo(() => [...placed.frames, ...them], [placed, them])
  const lines = useSame(useMemo(() => flowEdges({ edges, roots, reached }, classes), [edges, roots, reached]))

  useInSight(flow, placed.whole, roots)
  const hands = useMemo((): Hands => ({
    wanted,
    choose: (id) => {
      setCurrent(id)
      onChoose(id)
    },
    move: (id, key) => {
      const from = placed.whole.get(id)
      const to = from && isWay(key) ? beside([...placed.whole.values()], from, key) : undefined
      if (!to) return isWay(key)
      wanted.current = to
      setCurrent(to)
      if (flow) bring(flow, placed.whole.get(to))
      return true
    },
  }), [flow, onChoose, placed])

  // What is chosen when the drawing begins decides what is in sight; later choices leave the view where it is.
  const begin = useCallback(async (instance: Flow) => {
    setFlow(instance)
    const chosen = [...roots, ...reached.keys()].filter((id) => placed.whole.has(id))
    const nodes = chosen.length > 0 ? chosen.map((id) => ({ id })) : undefined
    await instance.fitView({ nodes, maxZoom: 1, padding: 0.08 })
    // Where all of it together cannot be read, what was chosen can.
    const root = placed.whole.get(roots[0] ?? '')
    if (root && instance.getZoom() < READABLE) centre(instance, root, READABLE)
  }, [roots, reached, placed])

  return (
    <Hold value={hands}>
      <ReactFlow
        className={classes.flow}
        data-chosen={roots.length > 0 || undefined}
        aria-label="Graph of the estate"
        nodes={nodes}
        edges={lines}
        nodeTypes={KINDS}
        onInit={(instance) => void begin(instance)}
        minZoom={SMALLEST}
        maxZoom={LARGEST}
        defaultMarkerColor={null}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        zIndexMode="manual"
        selectionKeyCode={null}
        panActivationKeyCode={null}
        onlyRenderVisibleElements={nodes.length > MOST_IN_PAGE}
      >
        <Panel position="top-right"><Zoom flow={flow} /></Panel>
        <MiniMap
          className={classes.map} pannable zoomable ariaLabel="Where the part in sight lies" nodeStrokeWidth={0}
          style={{ width: 150, height: 100 }}
          nodeColor={(node) => MAP[node.type === 'resource' ? (node.data as ResourceNode['data']).standing : 'frame']}
        />
      </ReactFlow>
    </Hold>
  )
}

/** Keeps the objects that say the same as before: only what changed is drawn again. */
function useSame<Item extends { id: string }>(items: Item[]): Item[] {
  const kept = useRef(new Map<string, { said: string; item: Item }>())
  return useMemo(() => {
    const next = new Map<string, { said: string; item: Item }>()
    for (const item of items) {
      const said = JSON.stringify(item)
      const before = kept.current.get(item.id)
      next.set(item.id, before?.said === said ? before : { said, item })
    }
    kept.current = next
    return [...next.values()].map((one) => one.item)
  }, [items])
}

const MAP: Record<Standing | 'frame', string> = {
  chosen: 'var(--mantine-primary-color-filled)',
  felt: 'var(--felt)',
  plain: 'light-dark(var(--mantine-color-gray-5), var(--mantine-color-dark-3))',
  frame: 'transparent',
}

/** Brings a node into sight when it is not, at the zoom there is. */
function bring(flow: Flow, spot: { x: number; y: number } | undefined) {
  const pane = document.querySelector(`.${classes.flow}`)
  if (!spot || !pane) return
  const { x, y, zoom } = flow.getViewport()
  const [left, top] = [spot.x * zoom + x, spot.y * zoom + y]
  const [right, bottom] = [left + SPOT.width * zoom, top + SPOT.height * zoom]
  if (left > ROOM && top > ROOM && right < pane.clientWidth - ROOM && bottom < pane.clientHeight - ROOM) return
  centre(flow, spot, Math.max(zoom, READABLE))
}

function centre(flow: Flow, spot: { x: number; y: number }, zoom: number) {
  void flow.setCenter(spot.x + SPOT.width / 2, spot.y + SPOT.height / 2, { zoom })
}

/** Brings what was chosen outside of the drawing into sight. */
function useInSight(flow: Flow | undefined, spots: Map<string, { x: number; y: number }>, roots: string[]) {
  const before = useRef<string>(undefined)
  const first = roots[0]
  useEffect(() => {
    if (!flow || first === before.current) return
    // The first look is fitted as a whole.
    if (before.current !== undefined && first) bring(flow, spots.get(first))
    before.current = first ?? ''
  }, [flow, first, spots])
}

function Zoom({ flow }: { flow: Flow | undefined }) {
  const buttons = [
    { label: 'Closer', icon: IconPlus, act: () => void flow?.zoomIn() },
    { label: 'Further away', icon: IconMinus, act: () => void flow?.zoomOut() },
    { label: 'All of it', icon: IconArrowsMaximize, act: () => void flow?.fitView({ padding: 0.05, maxZoom: 1 }) },
  ]
  return (
    <Group gap={4}>
      {buttons.map(({ label, icon: Icon, act }) => (
        <Tooltip key={label} label={label}>
          <ActionIcon variant="default" size="lg" aria-label={label} onClick={act}><Icon size={16} /></ActionIcon>
        </Tooltip>
      ))}
    </Group>
  )
}

const ResourceSpot = memo(function ResourceSpot({ id, data }: NodeProps<ResourceNode>) {
  const { choose, move, wanted } = use(Hold)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!data.current || wanted.current !== id) return
    wanted.current = undefined
    button.current?.focus({ preventScroll: true })
  }, [data, id, wanted])
  const pressed = (event: KeyboardEvent) => {
    if (move(id, event.key)) {
      event.preventDefault()
      event.stopPropagation()
    }
  }
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
      <button
        ref={button}
        type="button"
        className={classes.spot}
        data-standing={data.standing}
        data-retired={data.retired || undefined}
        tabIndex={data.current ? 0 : -1}
        aria-label={data.said}
        aria-pressed={data.standing === 'chosen'}
        onClick={() => choose(id)}
        onKeyDown={pressed}
      >
        <span className={classes.name}><Outside>{data.name}</Outside></span>
        <span className={classes.line}>
          <span className={classes.kind}>{data.note || data.kind}</span>
          {data.worst && (
            <span className={classes.worst}>
              <span className={classes.dot} style={{ background: COLORS[data.worst.severity] }} aria-hidden />
              {data.worst.count} {data.worst.severity}
            </span>
          )}
        </span>
      </button>
    </>
  )
})

const COLORS: Record<string, string> = severityColor

function Frame({ data }: NodeProps<EnvironmentNode>) {
  return (
    <div className={classes.frame} data-class={data.class}>
      <span className={classes.heading}><Outside>{data.name}</Outside></span>
      <span className={classes.size}>{data.class}{data.class && ' · '}{data.size}</span>
    </div>
  )
}

const KINDS = { resource: ResourceSpot, environment: Frame }
