import { Button, Group, Table, Text } from '@mantine/core'
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import 'uplot/dist/uPlot.min.css'
import { sample, short, timeLabels } from '../logic/chart'
import { plot, type ChartSeries, type Drawing } from './plot'
import { useScheme } from './scheme'
import classes from './Chart.module.css'

export type { ChartMark, ChartSeries, ChartSpan } from './plot'

interface ChartProps extends Drawing {
  /** What the chart shows: its name for everybody. */
  label: string
  /** The same in a sentence, for whoever does not see it: the highest, the last, the trend. */
  summary?: string
  /** What x is: the heading of the first column of the table. */
  xName: string
  /** How places of x are written; days or times when `time` says so. */
  showX?: (x: number) => string
  /** How values are written. */
  showY?: (y: number) => string
  /** In px. */
  height?: number
  /** Rows of the table at most; of longer ones every so many are shown. */
  tableRows?: number
  /** Beside the legend. */
  aside?: ReactNode
}

const USUAL_HEIGHT = 220
const USUAL_ROWS = 120
const DAY_S = 86_400

/**
 * Series over an axis, in the colours of the scheme, as wide as there is room. Its names and, under
 * the pointer, its values stand below it, and all of it can be had as a table.
 *
 * Keep `x`, `series`, `marks` and `spans` the same between renders (`useMemo`): others draw it anew.
 */
export function Chart(props: ChartProps) {
  const { label, summary, x, series, time, stack, whole, marks, spans, xRange, yRange, aside } = props
  const { height = USUAL_HEIGHT } = props
  const place = useRef<HTMLDivElement>(null)
  const [point, setPoint] = useState<number | null>(null)
  const [table, setTable] = useState(false)
  const scheme = useScheme()
  const id = useId()
  const showY = props.showY ?? short
  const showX = props.showX ?? (time ? (at: number) => timeLabels([at], DAY_S, time)[0] ?? '' : short)
  const shown = useRef({ showX, showY })
  shown.current = { showX, showY }

  useEffect(() => {
    const element = place.current
    if (!element || x.length === 0) return
    const drawn = plot(element, { x, series, time, stack, whole, marks, spans, xRange, yRange }, {
      width: Math.max(120, element.clientWidth),
      height,
      showX: (at) => shown.current.showX(at),
      showY: (value) => shown.current.showY(value),
      onPoint: setPoint,
    })
    const watch = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0)
      if (width > 0 && width !== drawn.width) drawn.setSize({ width, height })
    })
    watch.observe(element)
    return () => {
      watch.disconnect()
      drawn.destroy()
      setPoint(null)
    }
    // Ranges are compared by what they say: they are written where the chart is.
  }, [x, series, time, stack, whole, marks, spans, xRange?.join(), yRange?.join(), height, scheme])

  const places = [...(marks ?? []).map((one) => `${one.name} ${showX(one.at)}`),
    ...(spans ?? []).map((one) => `${one.name} ${showX(one.from)} to ${showX(one.to)}`)]
  return (
    <figure className={classes.figure} aria-labelledby={id}>
      <div
        ref={place} className={classes.plot} style={{ minHeight: height }} role="img" aria-label={summary ?? label}
        hidden={table}
      />
      {table && <Figures {...props} showX={showX} showY={showY} />}
      <figcaption className={classes.caption}>
        <span id={id} className={classes.name}>{label}</span>
        <Group gap="xs" justify="space-between" align="flex-start">
          <Legend series={series} point={point} at={point === null ? undefined : showX(x[point] ?? 0)} showY={showY} />
          <Group gap="xs">
            {aside}
            <Button size="compact-xs" variant="subtle" onClick={() => setTable(!table)} aria-pressed={table}>
              As a table
            </Button>
          </Group>
        </Group>
        {places.length > 0 && <Text size="xs" className="faint">{places.join(' · ')}</Text>}
      </figcaption>
    </figure>
  )
}

interface LegendProps {
  series: ChartSeries[]
  point: number | null
  at: string | undefined
  showY: (y: number) => string
}

function Legend({ series, point, at, showY }: LegendProps) {
  return (
    <ul className={classes.legend}>
      {series.map((one) => {
        const value = point === null ? null : one.values[point]
        return (
          <li key={one.name}>
            <span className={classes.swatch} style={{ background: one.color }} aria-hidden />
            {one.name}{typeof value === 'number' && <b> {showY(value)}</b>}
          </li>
        )
      })}
      {at && <li className="faint">{at}</li>}
    </ul>
  )
}

/** The figures of a chart, row by row. */
function Figures(props: ChartProps & { showX: (x: number) => string; showY: (y: number) => string }) {
  const { x, series, label, xName, showX, showY, tableRows = USUAL_ROWS } = props
  const rows = sample(x.length, tableRows)
  const every = rows.length < x.length ? `, ${rows.length} of ${x.length} places` : ''
  return (
    <div className={classes.table} tabIndex={0} role="region" aria-label={`${label}: table`}>
      <Table captionSide="top" stickyHeader horizontalSpacing="xs" verticalSpacing={2}>
        <Table.Caption>{label}{every}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{xName}</Table.Th>
            {series.map((one) => <Table.Th scope="col" key={one.name} ta="right">{one.name}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row}>
              <Table.Th scope="row" fw={400}>{showX(x[row] ?? 0)}</Table.Th>
              {series.map((one) => {
                const value = one.values[row]
                return <Table.Td key={one.name} ta="right">{typeof value === 'number' ? showY(value) : '–'}</Table.Td>
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
