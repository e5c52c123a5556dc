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
import { Problems } from './Problems'
import classes from './runbooks.module.css'

/** A runbook as it is stored now. */
export interface StoredRunbook {
  name: string
  version: number
  status: string
  text: string
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

function Question({ onClose, text, stored, onSaved, onGo }: SaveDialogProps) {
  const touch = useTouch()
  const [summary, say] = useState('')
  const [same, setSame] = useState<Saved>()
  const [compare, setCompare] = useState(false)
  const saving = useMutation({
    mutationFn: async () => {
      const { data } = await api.POST('/api/v1/runbooks', { body: { yaml: text, change_summary: summary.trim() } })
      if (!data) throw new Error('the server said nothing of what it did')
      return data
    },
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
  const problem = saving.error ? asProblem(saving.error) : undefined
  const faults = documentFaults(problem)
  return (
    <Stack gap="sm" className={classes.legible}>
      <Effects text={text} stored={stored} />
      <TextInput
        label="What changed, in words" description="Kept with the version." value={summary} maxLength={1_000}
        onChange={(event) => say(event.currentTarget.value)} error={problem?.field('/change_summary')} data-autofocus
      />
      {stored && (
        <Checkbox
          label="Show what differs" checked={compare} onChange={(event) => setCompare(event.currentTarget.checked)}
        />
      )}
      {stored && compare && (
        <LineDiff
          before={stored.text} after={text} names={[`Version ${stored.version}`, 'The text in the editor']} narrow
        />
      )}
      {same && (
        <Note color="yellow" title="Nothing was saved">
          The document says what version {same.version} says. Remarks and layout alone make no new version.
        </Note>
      )}
      {problem && faults.length === 0 && <Failed problem={problem} />}
      {problem && faults.length > 0 && (
        <Note color="red" title={problem.title}>
          <Problems problems={faults} text={text} onGo={onGo} />
        </Note>
      )}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button onClick={() => saving.mutate()} loading={saving.isPending}>Save</Button>
      </Group>
    </Stack>
  )
}

/** What an import of this text changes, beside the text. */
function Effects({ text, stored }: { text: string; stored: StoredRunbook | undefined }) {
  const name = topLevel(text, 'name')
  const status = topLevel(text, 'status') ?? 'draft'
  const others = useQuery({
    ...get('/api/v1/runbooks', { params: { query: { name: [name ?? ''], limit: 1 } } }),
    enabled: name !== undefined && name !== stored?.name,
  })
  const other = others.data?.items[0]
  const before = name === stored?.name ? stored : other
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
      {name !== undefined && !before && !others.isFetching && (
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
