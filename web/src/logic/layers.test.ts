import { expect, test } from 'vitest'
import { acyclic, layout, type Arrow, type Measures, type Place } from './layers'

const measures: Measures = { width: 100, height: 40, gapX: 60, gapY: 10, padding: 20, heading: 30 }
const arrow = (text: string): Arrow => {
  const [from = '', to = ''] = text.split('>')
  return { from, to }
}
const places = (ids: string, group = 'g'): Place[] => ids.split(' ').map((id) => ({ id, group }))

/** Nodes on the whole drawing, with their extent. */
function boxes(nodes: Place[], arrows: Arrow[]) {
  const drawn = layout(nodes, arrows, measures)
  return nodes.map(({ id, group }) => {
    const at = drawn.nodes.get(id)
    const box = drawn.groups.get(group)
    if (!at || !box) throw new Error(`${id} is nowhere`)
    return { id, x: box.x + at.x, y: box.y + at.y, inside: at, box }
  })
}

function overlaps(nodes: ReturnType<typeof boxes>): string[] {
  const found: string[] = []
  nodes.forEach((a, at) => {
    for (const b of nodes.slice(at + 1)) {
      if (Math.abs(a.x - b.x) < measures.width && Math.abs(a.y - b.y) < measures.height) found.push(`${a.id} ${b.id}`)
    }
  })
  return found
}

/** Numbers that look random and are the same each time (the generator of Numerical Recipes). */
function numbers(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return Math.floor((state / 4_294_967_296) * below)
  }
}

function large(count: number, ties: number): [Place[], Arrow[]] {
  const next = numbers(7)
  const nodes = Array.from({ length: count }, (_, at) => ({ id: `n${at}`, group: `g${next(5)}` }))
  const arrows = Array.from({ length: ties }, () => ({ from: `n${next(count)}`, to: `n${next(count)}` }))
  return [nodes, arrows]
}

test('arrows lead to the right', () => {
  const arrows = ['a>b', 'b>c', 'a>c', 'd>c'].map(arrow)
  const at = new Map(boxes(places('a b c d'), arrows).map((node) => [node.id, node]))
  for (const { from, to } of arrows) expect(at.get(from)?.x).toBeLessThan(at.get(to)?.x ?? 0)
  // What nothing leads to stands next to what it leads to.
  expect(at.get('d')?.x).toBe(at.get('b')?.x)
})

test('a circle loses one arrow and is drawn', () => {
  const arrows = ['a>b', 'b>c', 'c>a'].map(arrow)
  expect(acyclic(['a', 'b', 'c'], arrows)).toEqual(['a>b', 'b>c'].map(arrow))
  expect(overlaps(boxes(places('a b c'), arrows))).toEqual([])
})

test('what leads into a circle decides where it is opened', () => {
  expect(acyclic(['a', 'b', 'x'], ['a>b', 'b>a', 'x>b'].map(arrow))).toEqual(['x>b', 'b>a'].map(arrow))
})

test('columns are ordered so that arrows cross less', () => {
  const at = new Map(boxes(places('a b y x'), ['a>x', 'b>y'].map(arrow)).map((node) => [node.id, node.y]))
  expect((at.get('a') ?? 0) < (at.get('b') ?? 0)).toBe((at.get('x') ?? 0) < (at.get('y') ?? 0))
})

test('nodes stay within their cluster, below its name', () => {
  for (const node of boxes([...places('a b c'), ...places('d e', 'h')], ['a>b', 'b>d', 'd>e'].map(arrow))) {
    expect(node.inside.x).toBeGreaterThanOrEqual(measures.padding)
    expect(node.inside.y).toBeGreaterThanOrEqual(measures.heading)
    expect(node.inside.x + measures.width).toBeLessThanOrEqual(node.box.width - measures.padding)
    expect(node.inside.y + measures.height).toBeLessThanOrEqual(node.box.height - measures.padding)
  }
})

test('arrows to themselves, to strangers and between clusters do no harm', () => {
  const nodes = [...places('a b'), ...places('c', 'h')]
  expect(overlaps(boxes(nodes, ['a>a', 'a>nobody', 'nobody>b', 'a>c'].map(arrow)))).toEqual([])
})

test('nothing gives nothing, and one gives one', () => {
  expect(layout([], [], measures)).toEqual({ nodes: new Map(), groups: new Map() })
  expect(layout(places('a'), [], measures).groups.get('g')).toEqual({ x: 0, y: 0, width: 140, height: 90 })
})

test('the same input gives the same drawing, and nothing overlaps', () => {
  const [nodes, arrows] = large(300, 500)
  expect(layout(nodes, arrows, measures)).toEqual(layout(nodes, arrows, measures))
  expect(overlaps(boxes(nodes, arrows))).toEqual([])
})

test('clusters do not overlap', () => {
  const drawn = [...layout(...large(400, 300), measures).groups.values()]
  drawn.forEach((a, at) => {
    for (const b of drawn.slice(at + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      expect(apart).toBe(true)
    }
  })
})

test('two thousand nodes and a long chain are drawn in a moment', () => {
  const [nodes, arrows] = large(2_000, 6_000)
  const chain = Array.from({ length: 1_999 }, (_, at) => arrow(`n${at}>n${at + 1}`))
  const began = performance.now()
  expect(layout(nodes, [...arrows, ...chain], measures).nodes.size).toBe(2_000)
  expect(performance.now() - began).toBeLessThan(3_000)
})
