import { Button, Group, Table, Text } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { Heat } from '../../logic/overview'
import { shown as plain } from '../../logic/visible'
import { Outside } from '../../parts/Outside'
import { colorOf, useScheme } from '../../parts/scheme'
import { Waiting } from '../../parts/State'
import classes from './Overview.module.css'

const ROW_PX = 30
const AXIS_PX = 44
/** Pale for few, strong for many; the other way round in the dark. */
const SCALE = [
  'light-dark(var(--mantine-color-yellow-1), var(--mantine-color-dark-5))',
  'light-dark(var(--mantine-color-orange-4), var(--mantine-color-orange-9))',
  'light-dark(var(--mantine-color-red-9), var(--mantine-color-red-4))',
]

interface HeatMapProps {
  label: string
  heat: Heat
  /** What rows are. */
  rowName: string
  /** Whether the numbers stand in the cells. */
  numbers?: boolean
}

/** Counts in two dimensions by colour, or as a table. The library comes when the first is drawn. */
export function HeatMap({ label, heat, rowName, numbers = false }: HeatMapProps) {
  const place = useRef<HTMLDivElement>(null)
  const [table, setTable] = useState(false)
  const [state, setState] = useState<'waiting' | 'drawn' | 'failed'>('waiting')
  const scheme = useScheme()
  useEffect(() => {
    const element = place.current
    if (!element || table) return
    let gone = false
    let stop: (() => void) | undefined
    import('./heatChart').then(({ drawHeat }) => {
      if (gone) return
      const color = (css: string) => colorOf(element, css)
      const colors = {
        text: color('var(--mantine-color-text)'), faint: color('var(--faint)'), edge: color('var(--edge)'),
        card: color('var(--card)'), scale: SCALE.map(color),
      }
      const chart = drawHeat(element, heat, colors, numbers)
      const watch = new ResizeObserver(() => chart.resize())
      watch.observe(element)
      setState('drawn')
      stop = () => {
        watch.disconnect()
        chart.dispose()
      }
    }, () => setState('failed'))
    return () => {
      gone = true
      stop?.()
    }
  }, [heat, numbers, scheme, table])

  const shown = table || state === 'failed'
  return (
    <figure className={classes.heat} aria-label={label}>
      {shown ? <Counts label={label} heat={heat} rowName={rowName} /> : (
        <div style={{ position: 'relative' }}>
          {state === 'waiting' && <div className={classes.loading}><Waiting label="Loading the drawing" /></div>}
          <div
            ref={place} role="img" aria-label={told(label, heat)}
            style={{ height: heat.rows.length * ROW_PX + AXIS_PX }}
          />
        </div>
      )}
      <figcaption>
        <Group justify="space-between" gap="xs">
          <Text size="sm">{label}: pale is few, strong is many, blank is none.</Text>
          <Button size="compact-xs" variant="subtle" onClick={() => setTable(!table)} aria-pressed={table}>
            As a table
          </Button>
        </Group>
      </figcaption>
    </figure>
  )
}

/** The drawing in a sentence: the rows with the most. */
function told(label: string, { rows, cells }: Heat): string {
  const totals = cells.map((row) => row.reduce<number>((sum, one) => sum + (one ?? 0), 0))
  const first = rows.slice(0, 3).map((row, at) => `${plain(row)} ${totals[at] ?? 0}`)
  return `${label}. The most: ${first.join(', ')}.`
}

function Counts({ label, heat: { rows, columns, cells }, rowName }: { label: string; heat: Heat; rowName: string }) {
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={`${label}: table`}>
      <Table captionSide="top" horizontalSpacing={6} verticalSpacing={2}>
        <Table.Caption>{label}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{rowName}</Table.Th>
            {columns.map((column) => (
              <Table.Th key={column} scope="col" ta="right" style={{ whiteSpace: 'nowrap' }}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, at) => (
            <Table.Tr key={row}>
              <Table.Th scope="row" fw={400}><Outside>{row}</Outside></Table.Th>
              {columns.map((column, place) => (
                <Table.Td key={column} ta="right">{cells[at]?.[place] ?? '–'}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
