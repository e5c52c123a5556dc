import { Alert, Autocomplete, Button, Group, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { IconRefresh, IconX } from '@tabler/icons-react'
import { useEffect, useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { pages } from '../../api/queries'
import { useLive } from '../../app/live'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { readAuditEvent } from '../../logic/auditEvent'
import { count, words } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { ExportProofs } from './ExportProofs'
import { LogState } from './LogState'
import { NotForYou } from './NotForYou'
import classes from './Audit.module.css'

type Row = Schema<'EventOut'>

const PAGE = 100
const FILTERS = ['action', 'actor_id', 'target_type', 'target_id'] as const

/** The signed log: searched, with its newest checkpoint, and proofs to take away. */
export function Audit() {
  return useMay('audit.read') ? <Log /> : <NotForYou />
}

function Log() {
  const [search, set] = useSearch()
  const filter = useMemo(
    () => Object.fromEntries(FILTERS.map((name) => [name, search[name] || undefined])),
    [search.action, search.actor_id, search.target_type, search.target_id],
  )
  const list = useInfiniteQuery(pages('/api/v1/audit/events', filter, PAGE))
  const rows = list.data?.pages.flatMap((page) => page.items)
  const problem = list.error ? asProblem(list.error) : undefined
  return (
    <Page
      title="Audit"
      about="Every change writes an event; one sequencer gives it its place, and the log is signed about once a second."
      actions={<ExportProofs filter={filter} />}
    >
      <LogState />
      <Filters search={search} set={set} problem={problem} known={rows ?? []} />
      <News newest={rows?.[0]?.seq} narrowed={FILTERS.some((name) => search[name])} />
      <Rows
        label="Audit events" query={list} columns={COLUMNS} id={(row) => row.id} to={(row) => `/audit/${row.id}`}
        empty={(
          <Empty title="No event meets this">
            Actions, types and ids are compared as a whole: execution.completed, execution, exe_…
          </Empty>
        )}
      />
    </Page>
  )
}

const COLUMNS: Column<Row>[] = [
  { name: 'What', width: 'minmax(11rem, 2fr)', cell: (row) => <What row={row} /> },
  { name: 'Who', width: 'minmax(7rem, 1fr)', from: 560, cell: (row) => <Who row={row} /> },
  { name: 'To what', width: 'minmax(9rem, 1.6fr)', from: 820, cell: (row) => <Target row={row} /> },
  { name: 'When', width: '7rem', from: 400, cell: (row) => <When at={readAuditEvent(row.event).at} none="–" /> },
  { name: 'Place', width: '5rem', cell: (row) => <span className="mono">{row.seq}</span> },
]

function What({ row }: { row: Row }) {
  const { action, success } = readAuditEvent(row.event)
  if (!action) return <>cannot be read</>
  return <><Outside>{words(action)}</Outside>{!success && ' (failed)'}</>
}

function Who({ row }: { row: Row }) {
  const { actor } = readAuditEvent(row.event)
  return actor.name ? <Outside>{actor.name}</Outside> : <ActorName id={actor.id} />
}

function Target({ row }: { row: Row }) {
  const { target } = readAuditEvent(row.event)
  return <><Outside>{target.kind.replaceAll('_', ' ')}</Outside> <Outside mono>{target.id}</Outside></>
}

/** Events that came since: the list does not move under whoever reads it. */
function News({ newest, narrowed }: { newest: number | undefined; narrowed: boolean }) {
  const { recent } = useLive()
  const queries = useQueryClient()
  const since = recent[0] && newest !== undefined ? recent[0].seq - newest : 0
  if (since <= 0 || narrowed) return null
  return (
    <Alert color="blue" variant="light" role="status" p="xs">
      <Group gap="sm">
        <Text size="sm">{count(since, 'event')} came since.</Text>
        <Button
          size="compact-sm" variant="light" leftSection={<IconRefresh size={14} aria-hidden />}
          onClick={() => void queries.resetQueries({ queryKey: ['/api/v1/audit/events', 'pages'] })}
        >
          Show them
        </Button>
      </Group>
    </Alert>
  )
}

type Search = Record<string, string | undefined>

interface FiltersProps {
  search: Search
  set: (change: Search) => void
  problem: Problem | undefined
  known: Row[]
}

const LABELS: Record<(typeof FILTERS)[number], [string, string]> = {
  action: ['Action', 'execution.completed'],
  actor_id: ['Actor', 'act_…'],
  target_type: ['Type of thing', 'execution'],
  target_id: ['Id of the thing', 'exe_…'],
}

/** Words the log uses often, before the list has told its own. */
const ACTIONS = [
  'intent.created', 'decision.made', 'approval.requested', 'approval.voted', 'execution.created',
  'execution.in_progress', 'execution.completed', 'execution.failed', 'execution.rolled_back',
  'execution.cancel_requested', 'step.started', 'step.ended', 'step.resolved', 'evidence.stored',
]

/** What is searched by: asked for when a field is left or Enter is pressed. */
function Filters({ search, set, problem, known }: FiltersProps) {
  const [typed, type] = useState<Search>(search)
  const asked = FILTERS.map((name) => search[name] ?? '').join('\n')
  useEffect(() => {
    const now = asked.split('\n')
    type(Object.fromEntries(FILTERS.map((name, at) => [name, now[at]])))
  }, [asked])
  const seen = (of: (row: Row) => string) => [...new Set(known.map(of).filter((word) => word !== ''))]
  const actions = [...new Set([...ACTIONS, ...seen((row) => readAuditEvent(row.event).action)])].sort()
  const kinds = seen((row) => readAuditEvent(row.event).target.kind).sort()
  const send = (change: Search = typed) => set(Object.fromEntries(FILTERS.map((name) => [name, change[name]?.trim()])))
  const field = (name: (typeof FILTERS)[number]) => ({
    className: classes.field, label: LABELS[name][0], placeholder: LABELS[name][1], maxLength: 255,
    value: typed[name] ?? '', error: problem?.field(`query.${name}`), onBlur: () => send(),
  })
  const write = (name: string, value: string) => type({ ...typed, [name]: value })
  const choose = (name: string) => ({
    onChange: (value: string) => write(name, value),
    onOptionSubmit: (value: string) => send({ ...typed, [name]: value }),
  })
  return (
    <form
      className={classes.filters} role="search" aria-label="Search the log"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <Autocomplete {...field('action')} {...choose('action')} data={actions} limit={30} />
      <TextInput {...field('actor_id')} onChange={(event) => write('actor_id', event.currentTarget.value)} />
      <Autocomplete {...field('target_type')} {...choose('target_type')} data={kinds} limit={30} />
      <TextInput {...field('target_id')} onChange={(event) => write('target_id', event.currentTarget.value)} />
      <Button type="submit" variant="default">Search</Button>
      {asked.trim() !== '' && (
        <Button
          variant="subtle" leftSection={<IconX size={14} aria-hidden />}
          onClick={() => set(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
        >
          No filter
        </Button>
      )}
    </form>
  )
}
