import { Button, Select, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import { useSearch } from '../../app/search'
import { modeMeans } from '../../logic/runbook'
import { latelyInWords } from '../../logic/runbookRuns'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Rows, type Column } from '../../parts/Rows'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './runbooks.module.css'

type Summary = Schema<'PageOut_SummaryOut'>['items'][number]

/** Rows fetched at once: as many as the server gives. */
const PAGE = 100

const columns: Column<Summary>[] = [
  { name: 'Name', width: 'minmax(13rem, 2fr)', cell: ({ name }) => <Outside>{name}</Outside>, sort: 'name' },
  {
    name: 'What it is for', width: 'minmax(10rem, 3fr)', from: 1_180,
    cell: ({ description }) => <Outside>{description}</Outside>,
  },
  { name: 'Status', width: '7rem', cell: ({ status }) => <Status of={status} /> },
  { name: 'Mode', width: '6rem', cell: ({ mode }) => <Mode of={mode} />, from: 720 },
  { name: 'Runs in 30 days', width: '9rem', cell: (runbook) => <Ran of={runbook} />, from: 640 },
  {
    name: 'Last run', width: '7rem', from: 1_010,
    cell: ({ last_run_at }) => <When at={last_run_at} none="not lately" />,
  },
  { name: 'Category', width: '9rem', cell: ({ category }) => <Outside>{category}</Outside>, from: 880 },
  { name: 'Runs on', width: '5rem', cell: ({ target_os }) => target_os, from: 1_280 },
  { name: 'Version', width: '4.5rem', cell: ({ version }) => version, from: 1_380 },
  { name: 'Changed', width: '7rem', cell: ({ updated_at }) => <When at={updated_at} />, from: 440 },
]

/** Every runbook: what may be done, and when. */
export function Runbooks() {
  const [search, set] = useSearch()
  const may = useMay('runbooks.write')
  const one = (value: string | undefined) => (value ? [value] : undefined)
  const sort = search.sort === 'name' || search.sort === '-name' ? search.sort : undefined
  const filtered = ['q', 'status', 'mode', 'category', 'target_os'].some((name) => search[name])
  // What ran since tells no event about runbooks: the figures are asked for whenever somebody comes.
  const query = useInfiniteQuery({
    staleTime: 0,
    ...pages('/api/v1/runbooks', {
      q: search.q,
      status: one(search.status),
      mode: one(search.mode),
      category: one(search.category),
      target_os: one(search.target_os),
      sort,
    }, PAGE),
  })
  const found = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page
      title="Runbooks"
      about="What may be done to running systems, and when. Nothing runs that no runbook says."
      actions={<New may={may} />}
    >
      <Filters categories={found.map((runbook) => runbook.category)} search={search} set={set} />
      <Rows
        label="Runbooks"
        query={query}
        columns={columns}
        id={(runbook) => runbook.id}
        to={(runbook) => `/runbooks/${runbook.id}`}
        sort={sort}
        onSort={(by) => set({ sort: by })}
        empty={
          filtered ? <Empty title="No runbook is like that">Take a filter out to see more.</Empty> : (
            <Empty title="There is no runbook yet">
              A runbook says which commands may run where, how each is undone and how it is known to have worked.
            </Empty>
          )
        }
      />
    </Page>
  )
}

/** How it went lately: what failed is said in the row, the rest beside it. */
function Ran({ of }: { of: Summary }) {
  const { short, long } = latelyInWords(of)
  return <Tooltip label={long}><span className={of.runs === 0 ? 'faint' : undefined}>{short}</span></Tooltip>
}

function Mode({ of }: { of: string }) {
  return <Tooltip label={modeMeans(of)} disabled={!modeMeans(of)}><span>{of.replaceAll('_', ' ')}</span></Tooltip>
}

function New({ may }: { may: boolean }) {
  if (may) return <Button component={Link} to="/runbooks/new" leftSection={<IconPlus size={16} />}>New</Button>
  return (
    <Tooltip label="Importing needs the role operator or admin.">
      <Button
        data-disabled aria-disabled leftSection={<IconPlus size={16} />} onClick={(event) => event.preventDefault()}
      >
        New
      </Button>
    </Tooltip>
  )
}

interface FiltersProps {
  categories: string[]
  search: Record<string, string | undefined>
  set: (change: Record<string, string | undefined>) => void
}

function Filters({ categories, search, set }: FiltersProps) {
  const [typed, type] = useState(search.q ?? '')
  const look = useDebouncedCallback((q: string) => set({ q }), 250)
  const known = [...new Set([...categories, search.category ?? ''])].filter((category) => category !== '').sort()
  const choice = (name: string, label: string, data: string[]) => (
    <Select
      label={label} placeholder="Any" clearable
      data={data.map((value) => ({ value, label: value.replaceAll('_', ' ') }))}
      value={search[name] ?? null} onChange={(value) => set({ [name]: value ?? undefined })}
    />
  )
  return (
    <div className={classes.filters} role="search" aria-label="Runbooks">
      <TextInput
        label="Search" placeholder="Name or what it is for" value={typed}
        onChange={(event) => {
          type(event.currentTarget.value)
          look(event.currentTarget.value.trim())
        }}
      />
      {choice('status', 'Status', ['draft', 'active', 'disabled'])}
      {choice('mode', 'Mode', ['auto', 'semi_auto', 'manual'])}
      {choice('category', 'Category', known)}
      {choice('target_os', 'Runs on', ['linux', 'windows'])}
    </div>
  )
}
