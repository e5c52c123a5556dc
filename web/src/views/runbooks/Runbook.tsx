import { Badge, Button, Group, NativeSelect, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { IconDownload } from '@tabler/icons-react'
import { useMemo, useRef, useState } from 'react'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { useSearch } from '../../app/search'
import { readRunbook, type RunbookDocument } from '../../logic/runbook'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Failed, Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { About } from './About'
import { DryRun } from './DryRun'
import { Editor } from './Editor'
import { Note } from './Note'
import { Run } from './Run'
import type { Saved } from './SaveDialog'
import { StatusChange } from './StatusChange'
import { TriggerTester } from './TriggerTester'
import { Unsaved } from './Unsaved'
import { useChoice } from './useChoice'
import { useDraft, type Draft } from './useDraft'
import { Versions } from './Versions'
import type { GoTo } from './YamlField'

const TABS = [
  { value: 'about', label: 'What it does' },
  { value: 'document', label: 'Document' },
  { value: 'versions', label: 'Versions' },
  { value: 'dry-run', label: 'Dry run' },
  { value: 'triggers', label: 'Triggers' },
  { value: 'run', label: 'Run' },
]

/** A runbook: what it does, its document and versions, what it would do, and asking for it. */
export function Runbook() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const runbook = useQuery(get('/api/v1/runbooks/{id}', { params: { path: { id } } }))
  if (!runbook.data) {
    return <Page title="Runbook"><Loaded query={runbook} rows={8}>{() => null}</Loaded></Page>
  }
  return (
    <>
      {runbook.error && <Failed problem={asProblem(runbook.error)} retry={() => void runbook.refetch()} />}
      <Known key={id} runbook={runbook.data} />
    </>
  )
}

function Known({ runbook }: { runbook: Schema<'RunbookOut'> }) {
  const document = useMemo(() => readRunbook(runbook.document), [runbook.document])
  const versions = useQuery(get('/api/v1/runbooks/{id}/versions', { params: { path: { id: runbook.id } } }))
  const draft = useDraft(versions.data?.[0], document.status)
  const may = useMay('runbooks.write')
  const [search, set] = useSearch()
  const navigate = useNavigate()
  const leaving = useRef(false)
  const [place, setPlace] = useState<GoTo>()
  const go = (line: number, column: number) => {
    setPlace({ line, column })
    set({ tab: 'document' })
  }
  const saved = (done: Saved) => {
    draft?.discard()
    // Under another name it is another runbook.
    if (done.id === runbook.id) return undefined
    leaving.current = true
    return navigate({ to: `/runbooks/${done.id}` })
  }
  const parts = TABS.map(({ value, label }) => (
    { value, label: value === 'document' && draft?.dirty ? `${label} (not saved)` : label }
  ))
  const tab = TABS.find((one) => one.value === search.tab)?.value ?? 'about'
  const choose = (value: string | null) => {
    setPlace(undefined)
    set({ tab: value === 'about' ? undefined : value ?? undefined })
  }
  return (
    <Page
      title={<Outside>{document.name}</Outside>}
      about={<Outside>{document.description || 'It says nothing of what it is for.'}</Outside>}
      actions={
        <>
          <Button
            component="a" href={`/api/v1/runbooks/${encodeURIComponent(runbook.id)}/yaml`} variant="default"
            download={`${document.name.replace(/[^\w.-]+/g, '_')}.yaml`} leftSection={<IconDownload size={16} />}
          >
            Export
          </Button>
          <StatusChange id={runbook.id} document={document} may={may} onGo={go} text={draft?.base.text ?? ''} />
        </>
      }
    >
      <Facts runbook={runbook} document={document} />
      <Unsaved dirty={draft?.dirty ?? false} leaving={leaving} />
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <NativeSelect
          label="Part of the runbook" hiddenFrom="sm" mb="md" value={tab}
          onChange={(event) => choose(event.currentTarget.value)}
          data={parts}
        />
        <Tabs.List visibleFrom="sm" mb="md" aria-label="Parts of the runbook">
          {parts.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>{label}</Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          <Part
            tab={tab} runbook={runbook} document={document} versions={versions} draft={draft}
            place={place} onGo={go} onSaved={saved}
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Facts({ runbook, document }: { runbook: Schema<'RunbookOut'>; document: RunbookDocument }) {
  return (
    <Group gap="sm" fz="sm">
      <Status of={document.status} />
      <Badge variant="default" size="sm">mode {document.mode.replaceAll('_', ' ')}</Badge>
      {document.category && <span><Outside>{document.category}</Outside></span>}
      <span>{document.os}</span>
      <span>version {runbook.version}</span>
      <span className="faint">
        changed <When at={runbook.updated_at} />, first imported <When at={runbook.created_at} />
      </span>
    </Group>
  )
}

interface PartProps {
  tab: string
  runbook: Schema<'RunbookOut'>
  document: RunbookDocument
  versions: Parameters<typeof Loaded<Schema<'VersionOut'>[]>>[0]['query']
  draft: Draft | undefined
  place: GoTo | undefined
  onGo: (line: number, column: number) => void
  onSaved: (saved: Saved) => unknown
}

function Part({ tab, runbook, document, versions, draft, place, onGo, onSaved }: PartProps) {
  const choice = useChoice()
  switch (tab) {
    case 'document':
      return (
        <Loaded query={versions} rows={12}>
          {() => draft && (
            <Document
              runbook={runbook} document={document} draft={draft} place={place} onGo={onGo} onSaved={onSaved}
            />
          )}
        </Loaded>
      )
    case 'versions':
      return (
        <Loaded query={versions} rows={8}>
          {(found) => <Versions versions={found} edited={draft?.dirty ? draft.text : undefined} />}
        </Loaded>
      )
    case 'dry-run':
      return (
        <DryRun
          stored={runbook} variables={document.variables} choice={choice} onGo={onGo}
          text={draft?.dirty ? draft.text : undefined}
        />
      )
    case 'triggers':
      return (
        <Loaded query={versions} rows={8}>
          {() => draft && <TriggerTester text={draft.text} dirty={draft.dirty} onGo={onGo} />}
        </Loaded>
      )
    case 'run':
      return <Run id={runbook.id} document={document} choice={choice} />
    default:
      return <About document={document} />
  }
}

type DocumentProps = { draft: Draft } & Pick<PartProps, 'runbook' | 'document' | 'place' | 'onGo' | 'onSaved'>

function Document({ runbook, document, draft, place, onGo, onSaved }: DocumentProps) {
  const stored = {
    id: runbook.id, name: document.name, version: runbook.version, status: document.status, text: draft.stored.text,
    base: draft.base.version,
  }
  return (
    <Stack gap="sm">
      {draft.overtaken !== undefined && (
        <Note color="yellow" title={`Version ${draft.overtaken} was saved since you began`}>
          You write on version {draft.base.version}; your text is kept. Saving shows what differs first, and replaces
          the other version only when you say so.
        </Note>
      )}
      {draft.base.restated && (
        <Text size="sm" className="faint">
          Its status was set to {document.status} after version {draft.base.version} was imported: the text says so
          here.
        </Text>
      )}
      <Editor
        text={draft.text} dirty={draft.dirty} onChange={draft.write} onDiscard={draft.discard} stored={stored}
        onSaved={onSaved} place={place} onGo={onGo}
      />
    </Stack>
  )
}
