import uPlot from 'uplot'
import { stacked, step, timeLabels, type Values } from '../logic/chart'
import { colorOf } from './scheme'

/** A series of a chart, with its name. */
export interface ChartSeries {
  name: string
  values: Values
  /** A colour of CSS, variables and `light-dark()` too. */
  color: string
  /** How it is drawn; a line when absent. */
  as?: 'line' | 'area' | 'bars'
  dashed?: boolean
}

/** A place of the x axis that has a name: a vertical line. */
export interface ChartMark {
  at: number
  name: string
  color?: string
}

/** A stretch of the x axis that has a name: shaded. */
export interface ChartSpan {
  from: number
  to: number
  name: string
  color?: string
}

/** What a chart draws. */
export interface Drawing {
  /** Ascending; seconds since 1970 when `time` says so. */
  x: number[]
  series: ChartSeries[]
  time?: 'utc' | 'local'
  /** Whether each series stands on those before it. */
  stack?: boolean
  /** Whether y counts things: no ticks between whole numbers. */
  whole?: boolean
  marks?: ChartMark[]
  spans?: ChartSpan[]
  xRange?: [number, number]
  yRange?: [number, number]
}

interface Frame {
  width: number
  height: number
  showX: (x: number) => string
  showY: (y: number) => string
  onPoint: (index: number | null) => void
}

const DAY_S = 86_400
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 13 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b)

/** Draws into `element`, in the colours of the scheme as it is now. */
export function plot(element: HTMLElement, drawing: Drawing, frame: Frame): uPlot {
  const color = (css: string) => colorOf(element, css)
  const values = drawing.series.map((series) => series.values)
  const edges = drawing.stack ? stacked(values) : values
  // A stack is painted from its highest edge down, so that each hides what the next ones stand for.
  const order = drawing.series.map((_, index) => index)
  if (drawing.stack) order.reverse()
  const options: uPlot.Options = {
    width: frame.width,
    height: frame.height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
    scales: { x: { time: drawing.time !== undefined, range: rangeX(drawing) }, y: { range: rangeY(drawing) } },
    axes: axes(drawing, frame, color, getComputedStyle(element).fontFamily),
    series: [{}, ...order.flatMap((index) => painted(drawing, index, color))],
    hooks: {
      drawClear: [(self) => shade(self, drawing.spans ?? [], color)],
      draw: [(self) => mark(self, drawing.marks ?? [], color)],
      setCursor: [(self) => frame.onPoint(self.cursor.idx ?? null)],
    },
    padding: [10, 12, 0, 0],
  }
  if (drawing.time === 'utc') options.tzDate = (at) => uPlot.tzDate(new Date(at * 1_000), 'UTC')
  return new uPlot(options, [drawing.x, ...order.map((index) => edges[index] ?? [])], element)
}

function rangeX({ x, xRange, series, time }: Drawing): uPlot.Scale.Range {
  if (xRange) return xRange
  const room = series.some((one) => one.as === 'bars') ? step(x, time ? DAY_S : 1) / 2 : 0
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 1]
  const wide = first === last && room === 0 ? 1 : room
  return () => [first - wide, last + wide]
}

function rangeY({ yRange }: Drawing): uPlot.Scale.Range {
  if (yRange) return yRange
  return (_, least, most) => [Math.min(0, least ?? 0), (most ?? 0) > 0 ? (most ?? 1) * 1.05 : 1]
}

function painted(drawing: Drawing, index: number, color: (css: string) => string): uPlot.Series[] {
  const series = drawing.series[index]
  if (!series) return []
  const line = color(series.color)
  const bars = series.as === 'bars'
  const fill = bars || drawing.stack ? line : color(`color-mix(in srgb, ${series.color} 22%, transparent)`)
  return [{
    label: series.name,
    stroke: line,
    width: bars ? 0 : 2,
    fill: bars || series.as === 'area' ? fill : undefined,
    dash: series.dashed ? [6, 4] : undefined,
    paths: bars ? uPlot.paths.bars?.({ size: [0.84, 56] }) : undefined,
    // A value between gaps is a point, or it would not be seen.
    points: { show: !bars && (drawing.x.length < 3 || series.values.includes(null)), size: 6, fill: line },
  }]
}

function axes({ time, whole }: Drawing, frame: Frame, color: (css: string) => string, family: string): uPlot.Axis[] {
  const looks: uPlot.Axis = {
    stroke: color('var(--faint)'),
    font: `12px ${family}`,
    grid: { stroke: color('var(--edge)'), width: 1 },
    ticks: { stroke: color('var(--edge)'), width: 1, size: 4 },
  }
  const written: uPlot.Axis.DynamicValues = (_, splits, __, ___, increment) =>
    time ? timeLabels(splits, increment, time) : splits.map(frame.showX)
  return [
    { ...looks, values: written, space: 64, size: 32, grid: { show: false } },
    {
      ...looks,
      values: (_, splits) => splits.map(frame.showY),
      size: (_, texts) => 14 + 7 * Math.max(2, ...(texts ?? []).map((text) => `${text ?? ''}`.length)),
      space: 34,
      ...(whole ? { incrs: WHOLE } : {}),
    },
  ]
}

function shade(self: uPlot, spans: ChartSpan[], color: (css: string) => string) {
  const { ctx, bbox } = self
  for (const span of spans) {
    const [left, right] = [self.valToPos(span.from, 'x', true), self.valToPos(span.to, 'x', true)]
    const from = Math.max(bbox.left, Math.min(left, right))
    const to = Math.min(bbox.left + bbox.width, Math.max(left, right))
    if (to <= from) continue
    ctx.save()
    ctx.fillStyle = color(`color-mix(in srgb, ${span.color ?? 'var(--faint)'} 16%, transparent)`)
    ctx.fillRect(from, bbox.top, to - from, bbox.height)
    ctx.restore()
  }
}

function mark(self: uPlot, marks: ChartMark[], color: (css: string) => string) {
  const { ctx, bbox } = self
  const ratio = uPlot.pxRatio
  marks.forEach((one, index) => {
    const at = self.valToPos(one.at, 'x', true)
    if (!(at >= bbox.left && at <= bbox.left + bbox.width)) return
    ctx.save()
    ctx.strokeStyle = ctx.fillStyle = color(one.color ?? 'var(--faint)')
    ctx.lineWidth = 1.5 * ratio
    ctx.setLineDash([5 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
    ctx.font = `${11 * ratio}px system-ui, sans-serif`
    // A name goes to where there is room, each on a line of its own.
    const right = at > bbox.left + bbox.width * 0.7
    ctx.textAlign = right ? 'right' : 'left'
    ctx.fillText(one.name, at + (right ? -5 : 5) * ratio, bbox.top + (11 + 13 * index) * ratio)
    ctx.restore()
  })
}
