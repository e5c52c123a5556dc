import type { ReactNode } from 'react'
import classes from './PlainTable.module.css'

/** A column of a short table. */
export interface PlainColumn<Row> {
  name: string
  cell: (row: Row) => ReactNode
}

interface PlainTableProps<Row> {
  /** What it is of, for readers of screens. */
  label: string
  columns: PlainColumn<Row>[]
  rows: Row[]
  id: (row: Row) => string
  /** Which row is chosen. */
  chosen?: string | undefined
}

/** A table of few rows; on a small screen each row is a card. */
export function PlainTable<Row>({ label, columns, rows, id, chosen }: PlainTableProps<Row>) {
  return (
    <div className={classes.frame}>
      {/* Said out loud: as blocks on small screens tables would lose what they are. */}
      <table className={classes.table} aria-label={label} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => <th key={column.name} role="columnheader" scope="col">{column.name}</th>)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={id(row)} role="row" className={id(row) === chosen ? classes.chosen : undefined}>
              {columns.map((column) => (
                <td key={column.name} role="cell" data-name={column.name}><div>{column.cell(row)}</div></td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
