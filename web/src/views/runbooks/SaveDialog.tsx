import { Button, Checkbox, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { documentFaults } from '../../logic/lintPlace'
import { statusMeans } from '../../logic/runbook'
import { count } from '../../logic/words'
import { topLevel } from '../../logic/yamlPlace'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { useTouch } from '../../parts/useTouch'
import { LineDiff } from './LineDiff'
import { Note } from './Note'
import { Overtaken } from './Overtaken'
import { Problems } from './Problems'
import classes from './runbooks.module.css'

/** A runbook as it is stored now. */
export interface StoredRunbook {
  id: string
  name: string
  version: number
  status: string
  text: string
  /** The version the text in the editor was made from. */
  base: number
}

/** What an import did. */
export type Saved = Schema<'RunbookImportOut'>

interface SaveDialogProps {
  opened: boolean
  onClose: () => void
  text: string
  stored: StoredRunbook | undefined
  onSaved: (saved: Saved) => unknown
  onGo: (line: number, column: number) => void
}

/** Asks once more before a document is imported, and says what it changes. */
export function SaveDialog(props: SaveDialogProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Save the document?" size="xl">
      {props.opened && <Question {...props} />}
    </Modal>
  )
}

const warned = (n: number) => (n > 0 ? `, with ${count(n, 'warning')}` : '')

/** Imports the text in place of the version that is named; whatever else is stored by then stays. */
function useSave({ onClose, text, onSaved }: SaveDialogProps, summary: string) {
  const touch = useTouch()
  const [same, setSame] = useState<Saved>()
  const saving = useMutation({
    mutationFn: async (base: number | undefined) => {
      const body = { yaml: text, change_summary: summary.trim(), base_version: base }
      const { data } = await api.POST('/api/v1/runbooks', { body })
      if (!data) throw new Error('the server said nothing of what it did')
      return data
    },
    onError: (error) => asProblem(error).code === 'changed' && touch('runbooks'),
    onSuccess: async (saved) => {
      if (saved.change === 'unchanged') {
        setSame(saved)
        return
      }
      await touch('runbooks')
      notifications.show({
        color: 'green',
        closeButtonProps: { 'aria-label': 'Close' },
        message: `Saved as version ${saved.version}${warned(saved.warnings.length)}.`,
      })
      onClose()
      await onSaved(saved)
    },
  })
  return { saving, same }
}

/** The runbook whose name the text has, with the version the text was made from. */
function useReplaced(text: string, stored: StoredRunbook | undefined) {
  const name = topLevel(text, 'name')
  const own = name !== undefined && name === stored?.name
  const others = useQuery({
    ...get('/api/v1/runbooks', { params: { query: { name: [name ?? ''], limit: 1 } } }),
    enabled: name !== undefined && !own,
  })
  const other = own ? undefined : others.data?.items[0]
  // Of another name's runbook the dialog says which version it would replace: that one is meant.
  const base = own ? stored?.base : others.isSuccess ? other?.version ?? 0 : undefined
  return { name, before: own ? stored : other, base, looking: !own && others.isFetching }
}

function Question(props: SaveDialogProps) {
  const { onClose, text, stored, onGo } = props
  const [summary, say] = useState('')
  const [compare, setCompare] = useState(false)
  const { saving, same } = useSave(props, summary)
  const replaced = useReplaced(text, stored)
  const problem = saving.error ? asProblem(saving.error) : undefined
  const faults = documentFaults(problem)
  const { before, base } = replaced
  const overtaken = before && (problem?.code === 'changed' || (base !== undefined && base !== before.version))
  return (
    <Stack gap="sm" className={classes.legible}>
      <Effects text={text} stored={stored} replaced={replaced} />
      <TextInput
        label="What changed, in words" description="Kept with the version." value={summary} maxLength={1_000}
        onChange={(event) => say(event.currentTarget.value)} error={problem?.field('/change_summary')} data-autofocus
      />
      {stored && !overtaken && (
        <Checkbox
          label="Show what differs" checked={compare} onChange={(event) => setCompare(event.currentTarget.checked)}
        />
      )}
      {stored && compare && !overtaken && (
        <LineDiff
          before={stored.text} after={text} names={[`Version ${stored.version}`, 'The text in the editor']} narrow
        />
      )}
      {same && (
        <Note color="yellow" title="Nothing was saved">
          The document says what version {same.version} says. Remarks and layout alone make no new version.
        </Note>
      )}
      {problem && !(overtaken && problem.code === 'changed') && faults.length === 0 && <Failed problem={problem} />}
      {problem && faults.length > 0 && (
        <Note color="red" title={problem.title}>
          <Problems problems={faults} text={text} onGo={onGo} />
        </Note>
      )}
      {overtaken
        ? (
          <Overtaken
            id={before.id} text={text} saving={saving.isPending} onReplace={saving.mutate} onKeep={onClose}
          />
        )
        : (
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button onClick={() => saving.mutate(base)} loading={saving.isPending} disabled={replaced.looking}>
              Save
            </Button>
          </Group>
        )}
    </Stack>
  )
}

interface EffectsProps {
  text: string
  stored: StoredRunbook | undefined
  replaced: ReturnType<typeof useReplaced>
}

/** What an import of this text changes, beside the text. */
function Effects({ text, stored, replaced: { name, before, looking } }: EffectsProps) {
  const status = topLevel(text, 'status') ?? 'draft'
  const renamed = stored !== undefined && name !== undefined && name !== stored.name
  return (
    <List size="sm" spacing={4}>
      {name === undefined && (
        <List.Item>The document gives no name that can be read; the server says what is wrong with it.</List.Item>
      )}
      {renamed && (
        <List.Item>
          Its name is no longer <Outside>{stored.name}</Outside>: that one stays as it is,
          and <Outside>{name}</Outside> is a runbook of its own.
        </List.Item>
      )}
      {name !== undefined && before && (
        <List.Item>
          <Outside>{name}</Outside> becomes what the text says, as version {before.version + 1}. Runs that begin from
          now on use it;
          what was approved for an earlier version and has not begun is asked for again.
        </List.Item>
      )}
      {name !== undefined && !before && !looking && (
        <List.Item><Outside>{name}</Outside> is a new runbook.</List.Item>
      )}
      {before && before.status !== status && (
        <List.Item>
          <Text span fw={650} size="sm">Its status changes from {before.status} to {status}.</Text>{' '}
          {statusMeans(status)}
        </List.Item>
      )}
      {before && before.status === status && <List.Item>Its status stays {status}.</List.Item>}
      {name !== undefined && !before && <List.Item>Its status is {status}. {statusMeans(status)}</List.Item>}
    </List>
  )
}
