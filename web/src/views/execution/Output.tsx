import {
  ActionIcon, Button, Group, NativeSelect, SegmentedControl, Stack, Switch, Text, TextInput, Tooltip,
} from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import {
  IconArrowBarDown, IconArrowBarUp, IconChevronDown, IconChevronUp, IconDownload, IconSearch,
} from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { byteSize } from '../../logic/byteSize'
import { outputName, whole } from '../../logic/outputWhole'
import { pattern, placeFrom, MOST_PLACES, type Found } from '../../logic/outputSearch'
import type { Standing } from '../../logic/outputParts'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { saveFile } from '../../parts/saveFile'
import { Empty, Failed } from '../../parts/State'
import { OutputLines } from './OutputLines'
import { outputOf, type Stream } from './readOutput'
import type { LinesHandle } from './useLineWindow'
import { useOutput, useOutputSearch } from './useOutput'
import classes from './Output.module.css'

interface OutputProps {
  execution: string
  run: Schema<'StepRunOut'>
  stream: Stream
  onStream: (stream: Stream) => void
  /** Changes when the stream of the execution told of more output. */
  told: number
  /** The plan says that its output is kept nowhere. */
  sensitive: boolean
}

/** What a step printed on a target, while it prints and afterwards. */
export function Output({ execution, run, stream, onStream, told, sensitive }: OutputProps) {
  const [attempt, setAttempt] = useState<number>()
  const output = useOutput({
    execution, step: run.id, stream, attempt, again: run.retry_attempt, told: told + ended(run),
  })
  const { store, standing } = output
  const running = run.state === 'running'
  const [follow, setFollow] = useState(!run.completed_at)
  const [wrap, setWrap] = useState(true)
  const [codes, setCodes] = useState(false)
  const [query, setQuery] = useState('')
  const [asked] = useDebouncedValue(query, 250)
  const found = useOutputSearch(output, asked)
  const [at, setAt] = useState(-1)
  const lines = useRef<LinesHandle>(null)
  const finds = useMemo(() => (asked ? pattern(asked) : undefined), [asked])

  useEffect(() => setAt(-1), [asked, store])
  const go = (to: number) => {
    const line = found.lines[to]
    if (line === undefined) return
    setAt(to)
    lines.current?.show(line)
  }
  // The first match at or after what is in sight, as soon as there is one.
  useEffect(() => {
    if (at < 0 && found.lines.length > 0) go(placeFrom(found.lines, lines.current?.first() ?? 0))
  })
  const step = (by: number) => {
    const all = found.lines.length
    if (all > 0) go((at + by + all) % all)
  }

  const label = `${stream === 'stdout' ? 'Output' : 'Output to standard error'} of ${run.name} on ${run.target}`
  const nothing = standing.complete && standing.size === 0
  return (
    <Stack gap="xs" component="section" aria-label={label}>
      <div className={classes.bar}>
        <SegmentedControl
          size="xs" value={stream} onChange={onStream} aria-label="Stream"
          data={[{ value: 'stdout', label: 'Output' }, { value: 'stderr', label: 'Errors' }]}
        />
        {run.retry_attempt > 0 && <Which last={run.retry_attempt + 1} attempt={attempt} set={setAttempt} />}
        <Search
          query={query} onQuery={setQuery} found={found} at={at} onStep={step} active={asked !== ''}
          share={searched(standing, found, store.blocks)}
        />
        <Toggle label="Follow" on={follow} set={setFollow} />
        <Toggle label="Wrap" on={wrap} set={setWrap} />
        <Toggle label="Control codes" on={codes} set={setCodes} />
        <Group gap={4}>
          <Act label="To the start" onClick={() => lines.current?.show(0)}><IconArrowBarUp size={16} /></Act>
          <Act label="To the end" onClick={() => setFollow(true)}><IconArrowBarDown size={16} /></Act>
          <Download execution={execution} run={run} stream={stream} attempt={attempt} />
        </Group>
      </div>
      {standing.error !== undefined && <Failed problem={asProblem(standing.error)} retry={() => store.poke()} />}
      {nothing && <Nothing run={run} stream={stream} sensitive={sensitive} />}
      {!nothing && !(standing.error !== undefined && standing.lines === 0) && (
        <OutputLines
          ref={lines} store={store} standing={standing} wrap={wrap} codes={codes} follow={follow} onFollow={setFollow}
          finds={finds} here={place(found.lines, at)} label={`Lines: ${label}`}
        />
      )}
      <Text size="xs" className="faint" role="status">{standing.error === undefined && said(standing, running)}</Text>
    </Stack>
  )
}

interface WhichProps {
  last: number
  attempt: number | undefined
  set: (attempt: number | undefined) => void
}

/** Of which attempt the output is. */
function Which({ last, attempt, set }: WhichProps) {
  const earlier = Array.from({ length: last - 1 }, (_, at) => `${last - 1 - at}`)
  return (
    <NativeSelect
      size="xs" aria-label="Attempt" value={attempt === undefined ? '' : `${attempt}`}
      onChange={(event) => set(event.currentTarget.value ? Number(event.currentTarget.value) : undefined)}
      data={[
        { value: '', label: `Attempt ${last}, the last` },
        ...earlier.map((value) => ({ value, label: `Attempt ${value}` })),
      ]}
    />
  )
}

function Toggle({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return <Switch size="xs" label={label} checked={on} onChange={(event) => set(event.currentTarget.checked)} />
}

/** Another number once the run ended: then there is an end to be read. */
const ended = (run: Schema<'StepRunOut'>) => (run.completed_at ? 1_000_000 : 0)

/** The match's line, and which of the matches of that line it is. */
function place(lines: readonly number[], at: number): { line: number; nth: number } | undefined {
  const line = lines[at]
  if (line === undefined) return undefined
  let nth = 0
  while (lines[at - nth - 1] === line) nth += 1
  return { line, nth }
}

function said(standing: Standing, running: boolean): string {
  const { lines, read, size, complete, truncated } = standing
  const parts = [count(lines, 'line')]
  if (read < size) parts.push(`${byteSize(read)} of ${byteSize(size)} read: the rest comes when it is looked at`)
  else parts.push(byteSize(size))
  if (!complete && read >= size) parts.push(running ? 'more is to come' : 'not ended yet')
  if (truncated) parts.push('what was printed after the limit was not kept')
  return parts.join(' · ')
}

/** How much of what there is was searched, 0 to 1. */
function searched({ read, size }: Standing, found: Found, blocks: number): number {
  if (size === 0 || blocks === 0) return 1
  return (found.done ? 1 : found.searched / blocks) * (read / size)
}

interface SearchProps {
  query: string
  onQuery: (query: string) => void
  found: Found
  at: number
  onStep: (by: number) => void
  active: boolean
  /** How much of the output was searched, 0 to 1. */
  share: number
}

function Search({ query, onQuery, found, at, onStep, active, share }: SearchProps) {
  const all = found.count.toLocaleString('en')
  const where = at >= 0 ? `${(at + 1).toLocaleString('en')} of ${all}` : found.count > 0 ? all : 'none'
  return (
    <Group gap={4} wrap="nowrap">
      <TextInput
        type="search" size="xs" w={180} value={query} placeholder="Search the output" aria-label="Search the output"
        leftSection={<IconSearch size={14} />} onChange={(event) => onQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
          event.preventDefault()
          onStep(event.shiftKey ? -1 : 1)
        }}
      />
      {active && (
        <>
          <Text size="xs" role="status" style={{ whiteSpace: 'nowrap' }}>
            {where}{found.count > MOST_PLACES ? ` (the first ${MOST_PLACES.toLocaleString('en')} can be gone to)` : ''}
            {share < 1 ? ` · ${Math.floor(share * 100)} % searched…` : ''}
          </Text>
          <Act label="Previous match (Shift Enter)" onClick={() => onStep(-1)}><IconChevronUp size={16} /></Act>
          <Act label="Next match (Enter)" onClick={() => onStep(1)}><IconChevronDown size={16} /></Act>
        </>
      )}
    </Group>
  )
}

function Act({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={28} onClick={onClick} aria-label={label}>{children}</ActionIcon>
    </Tooltip>
  )
}

interface DownloadProps extends Pick<OutputProps, 'execution' | 'run' | 'stream'> {
  attempt: number | undefined
}

function Download({ execution, run, stream, attempt }: DownloadProps) {
  const [state, setState] = useState<{ read: number; size: number } | undefined>()
  const [error, setError] = useState<unknown>()
  const stop = useRef<AbortController>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const start = async () => {
    const stopping = new AbortController()
    stop.current = stopping
    setError(undefined)
    setState({ read: 0, size: 0 })
    try {
      const read = outputOf(execution, run.id, stream, attempt)
      const found = await whole(read, stopping.signal, (bytes, size) => setState({ read: bytes, size }))
      const blob = new Blob(found.parts, { type: 'text/plain;charset=utf-8' })
      saveFile(blob, outputName(run.name, run.target, stream, found))
    } catch (problem) {
      if (!stopping.signal.aborted) setError(problem)
    } finally {
      setState(undefined)
    }
  }
  if (state) {
    return (
      <Button size="compact-xs" variant="default" onClick={() => stop.current?.abort()}>
        Stop: {byteSize(state.read)} of {byteSize(state.size)}
      </Button>
    )
  }
  return (
    <>
      <Act label="Download all of it" onClick={() => void start()}><IconDownload size={16} /></Act>
      {error !== undefined && <Text size="xs" c="red" role="alert">{asProblem(error).title}</Text>}
    </>
  )
}

function Nothing({ run, stream, sensitive }: { run: Schema<'StepRunOut'>; stream: Stream; sensitive: boolean }) {
  if (sensitive) {
    return (
      <Empty title="Its output is kept nowhere">The runbook says that this step prints what nobody should read.</Empty>
    )
  }
  if (run.state === 'pending') return <Empty title="It has not started" />
  if (run.state === 'skipped') {
    return (
      <Empty title="It did not run">
        {run.error ? <Outside>{run.error}</Outside> : 'Its condition was false, or the plan stopped before it.'}
      </Empty>
    )
  }
  return <Empty title={stream === 'stdout' ? 'It printed nothing' : 'It printed no errors'} />
}
