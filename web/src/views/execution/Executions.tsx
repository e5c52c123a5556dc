import { Anchor, Button, MultiSelect, NativeSelect, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { IconSearch, IconX } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Schema } from '../../api/client'
import { get, pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useAccount } from '../../app/session'
import { beginning, FILTERS, narrowed, several, SPANS, STATES, toQuery } from '../../logic/executionFilters'
import { absolute, duration } from '../../logic/time'
import { ActorName } from '../../parts/ActorName'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { ThingName } from '../../parts/ThingName'
import { ThingSelect } from '../../parts/ThingSelect'
import { useActor } from '../../parts/useActor'
import { When } from '../../parts/When'
import { UnderWay } from './UnderWay'
import { Elapsed } from './Elapsed'
import classes from './Executions.module.css'

type Row = Schema<'ExecutionOut'>
type Search = Record<string, string | undefined>
type Set = (change: Search) => void

const PAGE = 100

/** What runs and what ran: what is under way first, then all of it. */
export function Executions() {
  const account = useAccount()
  const [search, set] = useSearch()
  const asked = JSON.stringify([...FILTERS, 'sort'].map((name) => search[name]))
  const now = useMoment(asked)
  const query = useMemo(() => toQuery(search, account.actor_id, now), [asked, account.actor_id, now])
  const list = useInfiniteQuery(pages('/api/v1/executions', query, PAGE))
  const runbooks = useQuery(get('/api/v1/runbooks', { params: { query: { limit: 100 } } }))
  const names = useMemo(() => new Map(runbooks.data?.items.map((one) => [one.id, one.name])), [runbooks.data])
  const shown = useMemo(() => columns(names), [names])
  const from = beginning(search.since, now)
  return (
    <Page title="Executions" about="What runs and what ran, each with its output, its evidence and its way back.">
      {!narrowed(search) && <UnderWay />}
      <Filters search={search} set={set} />
      {from !== undefined && <Text size="xs" className="faint">Asked for since {absolute(from)}</Text>}
      <Rows
        label="Executions" query={list} columns={shown}
        id={(row) => row.id} to={(row) => `/executions/${row.id}`} empty={<Nothing search={search} set={set} />}
        sort={search.sort ?? '-created_at'} onSort={(sort) => set({ sort })}
      />
    </Page>
  )
}

/** How old the moment may be by which a list is cut when somebody comes back to it, in ms. */
const OLD_MS = 60_000

/**
 * The moment by which a list is cut, in ms, to the minute: of when it was asked for, and of when
 * somebody came back to the page. One that slides away under whoever reads it cannot be read.
 */
function useMoment(asked: string): number {
  const [back, setBack] = useState(0)
  const now = useMemo(() => Math.ceil(Date.now() / 60_000) * 60_000, [asked, back])
  useEffect(() => {
    const look = () => {
      if (!document.hidden && Date.now() - now > OLD_MS) setBack((times) => times + 1)
    }
    window.addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      window.removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [now])
  return now
}

function columns(names: ReadonlyMap<string, string>): Column<Row>[] {
  return [
    { name: 'What', width: 'minmax(11rem, 2fr)', cell: (row) => <Outside>{row.summary}</Outside> },
    { name: 'State', width: '11rem', cell: (row) => <Status of={row.state} /> },
    { name: 'Runbook', width: 'minmax(7rem, 1fr)', from: 760, cell: (row) => <Runbook row={row} names={names} /> },
    { name: 'Mode', width: '6rem', from: 1_080, cell: (row) => row.mode.replaceAll('_', '-') },
    { name: 'Asked by', width: 'minmax(6rem, 1fr)', from: 900, cell: (row) => <ActorName id={row.initiated_by} /> },
    { name: 'When', width: '7rem', from: 420, sort: 'created_at', cell: (row) => <When at={row.created_at} /> },
    { name: 'Took', width: '6.5rem', from: 560, cell: (row) => <Length row={row} /> },
  ]
}

function Runbook({ row, names }: { row: Row; names: ReadonlyMap<string, string> }) {
  if (!row.runbook_id) return <span className="faint">none</span>
  const name = names.get(row.runbook_id)
  return name ? <Outside>{name}</Outside> : <ThingName kind="runbook" id={row.runbook_id} />
}

function Length({ row }: { row: Row }) {
  if (typeof row.duration_ms === 'number') return <>{duration(row.duration_ms)}</>
  return row.started_at && !row.completed_at ? <Elapsed since={row.started_at} /> : <span className="faint">–</span>
}

const MODES = [
  { value: '', label: 'any' }, { value: 'auto', label: 'auto' }, { value: 'semi_auto', label: 'semi-auto' },
  { value: 'manual', label: 'manual' },
]
const TIMES = [
  { value: '', label: 'any time' }, ...Object.entries(SPANS).map(([value, [, label]]) => ({ value, label })),
]
const NONE = Object.fromEntries(FILTERS.map((name) => [name, undefined]))

function Filters({ search, set }: { search: Search; set: Set }) {
  const by = useActor(search.by === 'me' ? undefined : search.by)
  const states = STATES.map((state) => ({ value: state, label: state.replaceAll('_', ' ') }))
  return (
    <div className={classes.filters} role="search" aria-label="Filter executions">
      <SearchField text={search.q ?? ''} set={(q) => set({ q })} />
      <MultiSelect
        label="State" data={states} value={several(search.state)} clearable searchable w={220}
        placeholder={search.state ? undefined : 'any'} onChange={(chosen) => set({ state: chosen.join(',') })}
        clearButtonProps={{ 'aria-label': 'Any state' }}
      />
      <ThingSelect
        kind="runbook" label="Runbook" placeholder="any" value={search.runbook ?? ''}
        onChange={(id) => set({ runbook: id })}
      />
      <ThingSelect
        kind="resource" label="On" placeholder="any resource" value={search.resource ?? ''}
        onChange={(id) => set({ resource: id })}
      />
      <NativeSelect
        label="Mode" value={search.mode ?? ''} onChange={(event) => set({ mode: event.currentTarget.value })}
        data={MODES}
      />
      <NativeSelect
        label="Asked by" value={search.by ?? ''} onChange={(event) => set({ by: event.currentTarget.value })}
        data={[
          { value: '', label: 'anybody' }, { value: 'me', label: 'me' },
          ...(search.by && search.by !== 'me' ? [{ value: search.by, label: by.name ?? search.by }] : []),
        ]}
      />
      <NativeSelect
        label="Asked for in" value={search.since ?? ''} onChange={(event) => set({ since: event.currentTarget.value })}
        data={TIMES}
      />
      {narrowed(search) && (
        <Button
          variant="subtle" leftSection={<IconX size={14} aria-hidden />} onClick={() => set(NONE)}
        >
          No filter
        </Button>
      )}
    </div>
  )
}

/** What summaries are searched for; asked for when the typing pauses. */
function SearchField({ text, set }: { text: string; set: (text: string | undefined) => void }) {
  const [typed, type] = useState(text)
  const sent = useRef(text)
  const send = useDebouncedCallback((words: string) => {
    sent.current = words
    set(words)
  }, 250)
  useEffect(() => {
    // The URL was changed elsewhere: by going back, or by the button that clears.
    if (text === sent.current) return
    sent.current = text
    type(text)
  }, [text])
  return (
    <TextInput
      className={classes.search} type="search" label="Search" placeholder="in what it does" maxLength={200}
      value={typed} leftSection={<IconSearch size={16} aria-hidden />}
      onChange={(event) => {
        type(event.currentTarget.value)
        send(event.currentTarget.value.trim())
      }}
    />
  )
}

function Nothing({ search, set }: { search: Search; set: Set }) {
  if (narrowed(search)) {
    return (
      <Empty title="No execution meets these filters">
        <Button variant="subtle" size="compact-sm" onClick={() => set(NONE)}>No filter</Button>
      </Empty>
    )
  }
  return (
    <Empty title="Nothing has run yet">
      An execution begins when an alert or a person asks for a change and the gate lets it through.{' '}
      <Anchor component={Link} to="/runbooks">Runbooks</Anchor>
    </Empty>
  )
}
