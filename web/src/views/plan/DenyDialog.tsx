import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { asProblem } from '../../api/problem'
import { runsNowhere } from '../../logic/planDocument'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { called, type Approval, type Everything } from './usePlan'
import { broughtAbout, useVote } from './useVote'

interface DenyDialogProps {
  all: Everything
  approval: Approval
  onClose: () => void
  onSaid: (sentence: string) => void
}

const MOST_NOTE = 2_000

/** Asks why it should not be done; one denial ends it. */
export function DenyDialog({ all, approval, onClose, onSaid }: DenyDialogProps) {
  const nowhere = runsNowhere(all.document)
  const vote = useVote(approval, (ballot) => {
    onSaid(broughtAbout(ballot, nowhere))
    onClose()
  })
  const [note, setNote] = useState('')
  const [tried, setTried] = useState(false)
  const problem = vote.error ? asProblem(vote.error) : undefined
  const empty = tried && note.trim() === '' ? 'Say why: whoever asked will read it.' : undefined

  const cast = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (note.trim() === '') return
    vote.mutate({ choice: 'deny', note: note.trim() })
  }
  return (
    <Modal opened onClose={onClose} title="Deny this plan" size="lg">
      <form onSubmit={cast} noValidate>
        <Stack gap="sm">
          <Text fw={600}><Outside>{called(all)}</Outside></Text>
          <Text size="sm">
            {nowhere ? 'What is asked for does not come about.' : 'Nothing runs.'}{' '}
            One denial is final: whoever wants it must ask anew.
          </Text>
          <Textarea
            label="Reason" withAsterisk data-autofocus autosize minRows={3} maxRows={8} maxLength={MOST_NOTE}
            value={note} onChange={(event) => setNote(event.currentTarget.value)}
            error={empty ?? problem?.field('/note')}
          />
          {problem && <Failed problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" color="red.9" loading={vote.isPending}>Deny</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
