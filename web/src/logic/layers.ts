/** A node to be placed, and the cluster it belongs to. Their order is the order where nothing else decides. */
export interface Place {
  id: string
  group: string
}

/** Something drawn from left to right where it can be. */
export interface Arrow {
  from: string
  to: string
}

/** How large nodes are and how far they keep apart, in px. */
export interface Measures {
  width: number
  height: number
  gapX: number
  gapY: number
  /** Between a cluster's edge and its nodes. */
  padding: number
  /** Room for a cluster's name. */
  heading: number
}

/** Where a cluster is, and how large. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Where everything is: nodes within their cluster, clusters on the whole. */
export interface Layout {
  nodes: Map<string, { x: number; y: number }>
  groups: Map<string, Box>
}

const SWEEPS = 4

/**
 * A layered drawing of a directed graph in clusters: in each cluster arrows lead from left to right
 * (longest path from the sources; an arrow that would close a circle is left out of account), columns
 * are ordered by the mean place of their neighbours (the barycentre method of Sugiyama, Tagawa and Toda,
 * 1981), what has no arrows stands in a block below, and clusters are packed on shelves. The same
 * input gives the same drawing.
 */
export function layout(places: Place[], arrows: Arrow[], measures: Measures): Layout {
  const members = new Map<string, string[]>()
  const groupOf = new Map<string, string>()
  for (const { id, group } of places) {
    if (groupOf.has(id)) continue
    groupOf.set(id, group)
    const known = members.get(group)
    if (known) known.push(id)
    else members.set(group, [id])
  }
  const within = new Map<string, Arrow[]>()
  for (const arrow of arrows) {
    const group = groupOf.get(arrow.from)
    if (group === undefined || group !== groupOf.get(arrow.to) || arrow.from === arrow.to) continue
    const known = within.get(group)
    if (known) known.push(arrow)
    else within.set(group, [arrow])
  }
  const nodes = new Map<string, { x: number; y: number }>()
  const sizes: [string, number, number][] = []
  for (const [group, ids] of members) {
    const columns = arranged(ids, within.get(group) ?? [])
    sizes.push([group, ...placed(columns, measures, nodes)])
  }
  return { nodes, groups: shelved(sizes, measures.gapX) }
}

interface Arranged {
  columns: string[][]
  /** What has no arrows. */
  alone: string[]
}

function arranged(ids: string[], arrows: Arrow[]): Arranged {
  const tied = new Set(arrows.flatMap((arrow) => [arrow.from, arrow.to]))
  const joined = ids.filter((id) => tied.has(id))
  const alone = ids.filter((id) => !tied.has(id))
  const kept = acyclic(joined, arrows)
  const ranks = ranked(joined, kept)
  const columns: string[][] = []
  for (const id of joined) {
    const rank = ranks.get(id) ?? 0
    ;(columns[rank] ??= []).push(id)
  }
  const filled = Array.from(columns, (column) => column ?? []).filter((column) => column.length > 0)
  order(filled, kept)
  // A column higher than this makes the drawing a tower: it becomes several.
  const tallest = Math.max(8, Math.ceil(2 * Math.sqrt(joined.length)))
  return { columns: filled.flatMap((column) => cut(column, tallest)), alone }
}

/** The arrows without those that close a circle, found depth first in the order of `ids`. */
export function acyclic(ids: string[], arrows: Arrow[]): Arrow[] {
  const out = grouped(arrows, (arrow) => arrow.from)
  const into = grouped(arrows, (arrow) => arrow.to)
  const open = new Set<string>()
  const done = new Set<string>()
  const kept: Arrow[] = []
  // What nothing leads to comes first: from there circles are left where they are entered.
  const starts = [...ids.filter((id) => !into.has(id)), ...ids]
  for (const start of starts) {
    if (done.has(start)) continue
    const path: [string, number][] = [[start, 0]]
    open.add(start)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const [id, next] = top
      const arrow = out.get(id)?.[next]
      if (!arrow) {
        open.delete(id)
        done.add(id)
        path.pop()
        continue
      }
      top[1] = next + 1
      if (open.has(arrow.to)) continue
      kept.push(arrow)
      if (!done.has(arrow.to)) {
        open.add(arrow.to)
        path.push([arrow.to, 0])
      }
    }
  }
  return kept
}

/** The longest way to each node, in arrows; what nothing leads to stands right before what it leads to. */
function ranked(ids: string[], arrows: Arrow[]): Map<string, number> {
  const out = grouped(arrows, (arrow) => arrow.from)
  const missing = new Map<string, number>()
  for (const { to } of arrows) missing.set(to, (missing.get(to) ?? 0) + 1)
  const ranks = new Map<string, number>()
  const ready = ids.filter((id) => !missing.has(id))
  const sources = new Set(ready)
  for (const id of ready) ranks.set(id, 0)
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] ?? ''
    for (const { to } of out.get(id) ?? []) {
      ranks.set(to, Math.max(ranks.get(to) ?? 0, (ranks.get(id) ?? 0) + 1))
      const left = (missing.get(to) ?? 1) - 1
      missing.set(to, left)
      if (left === 0) ready.push(to)
    }
  }
  for (const id of sources) {
    const nearest = Math.min(...(out.get(id) ?? []).map(({ to }) => ranks.get(to) ?? 1))
    if (Number.isFinite(nearest)) ranks.set(id, nearest - 1)
  }
  return ranks
}

/** Orders each column by the mean place of its neighbours, forth and back. */
function order(columns: string[][], arrows: Arrow[]) {
  const out = grouped(arrows, (arrow) => arrow.from)
  const into = grouped(arrows, (arrow) => arrow.to)
  const place = new Map<string, number>()
  const settle = (column: string[]) => column.forEach((id, at) => place.set(id, (at + 0.5) / column.length))
  columns.forEach(settle)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forth = sweep % 2 === 0
    for (const column of forth ? columns : [...columns].reverse()) {
      const wish = (id: string) => {
        const beside = (forth ? into : out).get(id)?.map((arrow) => (forth ? arrow.from : arrow.to)) ?? []
        if (beside.length === 0) return place.get(id) ?? 0
        return beside.reduce((sum, other) => sum + (place.get(other) ?? 0), 0) / beside.length
      }
      const wished = column.map((id, at) => ({ id, at, wish: wish(id) }))
      wished.sort((a, b) => a.wish - b.wish || a.at - b.at)
      wished.forEach(({ id }, at) => (column[at] = id))
      settle(column)
    }
  }
}

/** Places the nodes of a cluster, and says how large it is. */
function placed({ columns, alone }: Arranged, measures: Measures, nodes: Layout['nodes']): [number, number] {
  const { width, height, gapX, gapY, padding, heading } = measures
  const [stepX, stepY] = [width + gapX, height + gapY]
  const tall = Math.max(0, ...columns.map((column) => column.length))
  columns.forEach((column, at) => {
    const top = heading + ((tall - column.length) * stepY) / 2
    column.forEach((id, row) => nodes.set(id, { x: padding + at * stepX, y: top + row * stepY }))
  })
  // Without arrows between them they need no room between them either.
  const near = width + gapY
  const wanted = Math.ceil(Math.sqrt(alone.length / 3))
  const across = Math.max(1, Math.min(alone.length, Math.max(wanted, Math.floor((columns.length * stepX) / near))))
  const below = heading + tall * stepY
  alone.forEach((id, at) => {
    nodes.set(id, { x: padding + (at % across) * near, y: below + Math.floor(at / across) * stepY })
  })
  const rows = Math.ceil(alone.length / across)
  const joinedWide = columns.length > 0 ? columns.length * stepX - gapX : 0
  const aloneWide = alone.length > 0 ? across * near - gapY : 0
  return [Math.max(joinedWide, aloneWide) + 2 * padding, heading + (tall + rows) * stepY - gapY + padding]
}

/** Puts boxes side by side on shelves, about as wide as high. */
function shelved(sizes: [string, number, number][], gap: number): Map<string, Box> {
  const area = sizes.reduce((sum, [, width, height]) => sum + (width + gap) * (height + gap), 0)
  const room = Math.max(Math.sqrt(area) * 1.3, ...sizes.map(([, width]) => width))
  const boxes = new Map<string, Box>()
  let [x, y, shelf] = [0, 0, 0]
  for (const [group, width, height] of sizes) {
    if (x > 0 && x + width > room) {
      x = 0
      y += shelf + gap
      shelf = 0
    }
    boxes.set(group, { x, y, width, height })
    x += width + gap
    shelf = Math.max(shelf, height)
  }
  return boxes
}

function grouped(arrows: Arrow[], key: (arrow: Arrow) => string): Map<string, Arrow[]> {
  const groups = new Map<string, Arrow[]>()
  for (const arrow of arrows) {
    const known = groups.get(key(arrow))
    if (known) known.push(arrow)
    else groups.set(key(arrow), [arrow])
  }
  return groups
}

/** `items` in pieces of about one length, none longer than `most`. */
function cut<Item>(items: Item[], most: number): Item[][] {
  const pieces = Math.ceil(items.length / most)
  const size = Math.ceil(items.length / pieces)
  return Array.from({ length: pieces }, (_, at) => items.slice(at * size, (at + 1) * size))
}
