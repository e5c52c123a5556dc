import { Link } from '@tanstack/react-router'
import { memo, type ReactNode } from 'react'
import type { Column } from './Rows'
import classes from './Rows.module.css'

/** Height of a row. */
export const ROW_PX = 40

interface LineProps<Row> {
  row: Row
  columns: Column<Row>[]
  /** The columns' widths, as CSS grid knows them. */
  template: string
  /** Its place in the list, from 0. */
  index: number
  /** Where it begins, in px. */
  start: number
  chosen: boolean
  /** Where it leads. */
  to: string | undefined
  choose: (index: number) => void
}

function drawn<Row>({ row, columns, template, index, start, chosen, to, choose }: LineProps<Row>): ReactNode {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      aria-selected={chosen ? true : undefined}
      className={classes.row}
      style={{ gridTemplateColumns: template, transform: `translateY(${start}px)`, height: ROW_PX }}
    >
      {columns.map((column, place) => (
        <div role="cell" key={column.name} className={classes.cell}>
          {place === 0 && to ? (
            <Link to={to} className={classes.link} onFocus={() => choose(index)}>{column.cell(row)}</Link>
          ) : column.cell(row)}
        </div>
      ))}
    </div>
  )
}

/** What a row shows depends on these alone. */
const SHOWN = ['row', 'columns', 'template', 'index', 'start', 'chosen', 'to'] as const

/** A row of a list; drawn again only when what it shows is another, so that a key pressed in a long list costs two rows. */
export const Line = memo(drawn, (before, after) => SHOWN.every((name) => before[name] === after[name])) as typeof drawn
