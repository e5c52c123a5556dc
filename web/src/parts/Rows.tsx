import { Box, Text } from '@mantine/core'
import type { UseInfiniteQueryResult, InfiniteData } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { asProblem } from '../api/problem'
import { useKeys } from '../app/keys'
import { PackedRows } from './Hint'
import { Line, ROW_PX } from './Line'
import { Failed, Waiting } from './State'
import classes from './Rows.module.css'

/** Rows drawn beyond those in sight, above and below. */
const OVERSCAN = 12

/** A column of a list. */
export interface Column<Row> {
  name: string
  /** As CSS grid knows it: `6rem`, `minmax(12rem, 1fr)`. */
  width: string
  cell: (row: Row) => ReactNode
  /** Columns that go first where there is little room: shown from this width of the list on, in px. */
  from?: number
  /** The API's word to sort by, when it can be. */
  sort?: string
}

interface Page<Row> {
  items: Row[]
}

interface RowsProps<Row> {
  /** What the list is of, for readers of screens. */
  label: string
  query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>
  columns: Column<Row>[]
  id: (row: Row) => string
  /** Where a row leads. */
  to?: (row: Row) => string
  /** What stands there when there is nothing. */
  empty: ReactNode
  sort?: string
  onSort?: (sort: string) => void
  height?: string
}

/**
 * A list of any length: only the rows in sight are in the page, more are fetched before the end of
 * what is there comes in sight. `j`, `k` and `Enter` go through it.
 */
export function Rows<Row>({ label, query, columns, id, to, empty, sort, onSort, height = 'calc(100dvh - 15rem)' }: RowsProps<Row>) {
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  const held = useRef(rows)
  held.current = rows
  const frame = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(1_000)
  // What is chosen stays chosen where others come in above it.
  const [picked, pick] = useState<{ id: string; index: number }>()
  const navigate = useNavigate()

  useEffect(() => {
    if (!frame.current) return
    const watch = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width))
    watch.observe(frame.current)
    return () => watch.disconnect()
  }, [rows.length === 0])

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query
  useEffect(() => {
    // A page ahead of what is in sight.
    const near = last > rows.length - 150
    if (near && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [last, rows.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])

  const chosen = useMemo(() => {
    if (!picked) return -1
    const there = rows[picked.index]
    return there && id(there) === picked.id ? picked.index : rows.findIndex((row) => id(row) === picked.id)
  }, [picked, rows])
  const choose = useCallback((index: number) => {
    const row = held.current[index]
    if (row) pick({ id: id(row), index })
  }, [])
  const move = (by: number) => {
    const seen = virtual.range
    // Whoever scrolled away goes on from what they see.
    const inSight = seen !== null && chosen >= seen.startIndex - OVERSCAN && chosen <= seen.endIndex + OVERSCAN
    const next = inSight || seen === null ? Math.max(0, Math.min(rows.length - 1, chosen + by)) : seen.startIndex
    choose(next)
    virtual.scrollToIndex(next)
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: (event) => {
      const row = rows[chosen]
      // A button or a link that has the focus is what Enter is meant for.
      const meant = event.target instanceof Element && event.target.closest('a, button, summary, [role="menuitem"], [role="option"]')
      if (!row || !to || meant) return false
      void navigate({ to: to(row) })
    },
  })

  const shown = useMemo(() => columns.filter((column) => (column.from ?? 0) <= width), [columns, width])

  if (query.isPending) return <Waiting rows={8} />
  if (query.error && rows.length === 0) return <Failed problem={asProblem(query.error)} retry={() => void query.refetch()} />
  if (rows.length === 0) return <>{empty}</>

  const template = shown.map((column) => column.width).join(' ')
  return (
    <Box className={classes.list}>
      <div role="table" aria-label={label} aria-rowcount={hasNextPage ? -1 : rows.length + 1}>
        <div role="rowgroup">
          <div role="row" className={classes.head} style={{ gridTemplateColumns: template }}>
            {shown.map((column) => (
              <Heading key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
      <div ref={frame} className={classes.frame} style={{ maxHeight: height }} tabIndex={0} role="rowgroup" aria-label={`${label}: rows`}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
          <PackedRows>
            {items.map(({ index, start }) => {
              const row = rows[index]
              if (row === undefined) return null
              return (
                <Line
                  key={id(row)} row={row} columns={shown} template={template} index={index} start={start}
                  chosen={index === chosen} to={to?.(row)} choose={choose}
                />
              )
            })}
          </PackedRows>
        </div>
      </div>
      </div>
      <Text size="xs" className="faint" mt={4} role="status">
        {rows.length.toLocaleString('en')}{hasNextPage ? ' so far' : ''}{isFetchingNextPage ? ', more on the way…' : ''}
        {isFetchNextPageError && (
          <> · the rest did not come: {asProblem(query.error).message}{' '}
            <button className={classes.again} onClick={() => void fetchNextPage()}>try again</button>
          </>
        )}
        {query.isStale && !query.isFetching && !isFetchNextPageError && (
          <> · something changed · <button className={classes.again} onClick={() => void query.refetch()}>look again</button></>
        )}
      </Text>
    </Box>
  )
}

function Heading<Row>({ column, sort, onSort }: { column: Column<Row>; sort?: string; onSort?: (sort: string) => void }) {
  const [by, descending] = sort?.startsWith('-') ? [sort.slice(1), true] : [sort, false]
  if (!column.sort || !onSort) return <div role="columnheader" className={classes.cell}>{column.name}</div>
  const active = by === column.sort
  return (
    <div role="columnheader" className={classes.cell} aria-sort={active ? (descending ? 'descending' : 'ascending') : 'none'}>
      <button className={classes.sort} onClick={() => onSort(active && descending ? column.sort! : `-${column.sort}`)}>
        {column.name}{active ? (descending ? ' ↓' : ' ↑') : ''}
      </button>
    </div>
  )
}
