import { Anchor, Button, Group, Kbd, Stack, Text } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useId, useRef, useState } from 'react'
import { asProblem } from '../../api/problem'
import { useMay } from '../../app/session'
import type { LintProblem } from '../../logic/lintPlace'
import { count } from '../../logic/words'
import { Page } from '../../parts/Page'
import { Failed, Waiting } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { DryRun } from './DryRun'
import { Note } from './Note'
import { Problems } from './Problems'
import { SaveDialog, type Saved, type StoredRunbook } from './SaveDialog'
import { Start } from './Start'
import { Unsaved } from './Unsaved'
import { useChoice } from './useChoice'
import { useLint, type Linted } from './useLint'
import type { GoTo } from './YamlField'

// CodeMirror is a third of a megabyte: it is fetched when somebody edits.
const YamlField = lazy(() => import('./YamlField').then((module) => ({ default: module.YamlField })))

const NOTHING: LintProblem[] = []
/** A text that was never saved says itself what its variables are. */
const NO_VARIABLES: [string, string][] = []

interface EditorProps {
  text: string
  dirty: boolean
  onChange: (text: string) => void
  onDiscard: () => void
  /** The runbook that is edited; none for a new one. */
  stored?: StoredRunbook
  onSaved: (saved: Saved) => unknown
  /** The place that was gone to last. */
  place: GoTo | undefined
  onGo: (line: number, column: number) => void
}

/** A runbook's document: written, judged as it is written, and saved. */
export function Editor({ text, dirty, onChange, onDiscard, stored, onSaved, place, onGo }: EditorProps) {
  const may = useMay('runbooks.write')
  const [saving, setSaving] = useState(false)
  const lint = useLint(text)
  const help = useId()
  const same = stored && !dirty ? 'Nothing was changed.' : undefined
  const why = may ? same : 'Importing needs the role operator or admin.'
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Judgement lint={lint.data} now={text} failed={lint.error !== null} />
        <Group gap="xs">
          {stored && <MayButton why={same} onClick={onDiscard} size="sm">Discard changes</MayButton>}
          <MayButton why={why} onClick={() => setSaving(true)} size="sm" variant="filled">Save…</MayButton>
        </Group>
      </Group>
      {lint.error && <Failed problem={asProblem(lint.error)} retry={() => void lint.refetch()} />}
      <Suspense fallback={<Waiting rows={12} label="Loading the editor" />}>
        <YamlField
          value={text} onChange={onChange} problems={lint.data?.problems ?? NOTHING}
          label="Document of the runbook, in YAML"
          describedBy={help} readOnly={!may} goTo={place}
        />
      </Suspense>
      <Text size="xs" className="faint" id={help} component="div">
        {may
          ? (
            <>
              Tab indents. <Kbd size="xs">Esc</Kbd>, then <Kbd size="xs">Tab</Kbd> leaves the editor.{' '}
              <Kbd size="xs">F8</Kbd> goes to the next problem.
            </>
          )
          : 'You may read it; changing it needs the role operator or admin.'}
      </Text>
      {lint.data && lint.data.problems.length > 0 && <Problems problems={lint.data.problems} text={text} onGo={onGo} />}
      <SaveDialog
        opened={saving} onClose={() => setSaving(false)} text={text} stored={stored} onSaved={onSaved}
        onGo={(line, column) => {
          setSaving(false)
          onGo(line, column)
        }}
      />
    </Stack>
  )
}

/** What the server says of the text: errors, warnings, or nothing. */
function Judgement({ lint, now, failed }: { lint: Linted | undefined; now: string; failed: boolean }) {
  const errors = lint?.problems.filter((problem) => problem.weight === 'error').length ?? 0
  const warnings = (lint?.problems.length ?? 0) - errors
  const said = failed ? 'It could not be judged.'
    : !lint ? 'Being judged…'
      : errors > 0
        ? `${count(errors, 'error')}${warnings > 0 ? ` and ${count(warnings, 'warning')}` : ''}: it would be refused.`
        : warnings > 0 ? `${count(warnings, 'warning')}: it would be taken, and somebody should look.`
          : 'Nothing is wrong with it.'
  return (
    <Text size="sm" component="div">
      <Text span size="sm" fw={550} role="status">{said}</Text>
      {/* Not said aloud: it is so after every key. */}
      {lint && lint.text !== now && <span className="faint" aria-hidden> Being judged again…</span>}
    </Text>
  )
}

/** A new runbook: written from a beginning somebody chooses, or from a file. */
export function NewRunbook() {
  const navigate = useNavigate()
  const may = useMay('runbooks.write')
  const [begun, begin] = useState<string>()
  const [text, write] = useState('')
  const [place, setPlace] = useState<GoTo>()
  const leaving = useRef(false)
  const choice = useChoice()
  const dirty = begun !== undefined && text !== begun
  const saved = (done: Saved) => {
    leaving.current = true
    return navigate({ to: `/runbooks/${done.id}` })
  }
  const go = (line: number, column: number) => setPlace({ line, column })
  const start = (from: string) => {
    begin(from)
    write(from)
    setPlace(undefined)
  }
  return (
    <Page
      title="New runbook"
      about={
        <>
          What may be done about something, how it is undone, and how it is known to have worked.{' '}
          <Anchor component={Link} to="/runbooks">All runbooks</Anchor>
        </>
      }
      actions={begun !== undefined && !dirty && (
        <Button variant="default" onClick={() => begin(undefined)}>Begin otherwise</Button>
      )}
    >
      <Unsaved dirty={dirty} leaving={leaving} />
      {!may && (
        <Note color="yellow" title="You may read but not import">Importing needs the role operator or admin.</Note>
      )}
      {begun === undefined
        ? <Start onStart={start} />
        : (
          <Stack gap="md">
            <Editor
              text={text} dirty={dirty} onChange={write} onDiscard={() => write(begun)} onSaved={saved}
              place={place} onGo={go}
            />
            <DryRun variables={NO_VARIABLES} choice={choice} text={text} onGo={go} />
          </Stack>
        )}
    </Page>
  )
}
