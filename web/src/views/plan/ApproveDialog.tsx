import { Alert, Anchor, Button, Group, List, Modal, Stack, Text, TextInput, Textarea } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { IconFlame } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import type { Schema } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { useLive } from '../../app/live'
import { approving } from '../../logic/ballot'
import { runsNowhere, wayBack } from '../../logic/planDocument'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { When } from '../../parts/When'
import { called, type Approval, type Everything } from './usePlan'
import { broughtAbout, useVote } from './useVote'

interface ApproveDialogProps {
  all: Everything
  approval: Approval
  /** Emergency authority under which it is given alone. */
  glass: Schema<'BreakGlassOut'> | undefined
  onClose: () => void
  onSaid: (sentence: string) => void
}

const MOST_NOTE = 2_000
const FAINT = { c: 'var(--faint)' }

/** Asks once more: says exactly what happens next, and takes the second factor where it is asked for. */
export function ApproveDialog({ all, approval, glass, onClose, onSaid }: ApproveDialogProps) {
  const nowhere = runsNowhere(all.document)
  const vote = useVote(approval, (ballot) => {
    onSaid(broughtAbout(ballot, nowhere))
    onClose()
  })
  const { connection } = useLive()
  const [note, setNote] = useState('')
  const [code, setCode] = useState('')
  // Once asked for, it stays asked for: a wrong code is another answer.
  const [factor, setFactor] = useState(false)
  const problem = vote.error ? asProblem(vote.error) : undefined

  const cast = (event: FormEvent) => {
    event.preventDefault()
    const shown = factor ? { code: code.trim() } : {}
    vote.mutate({ choice: 'approve', note: note.trim(), alone: glass !== undefined, ...shown }, {
      onError: (error) => {
        // A code counts for one vote; the next try needs the next one.
        setCode('')
        if (asProblem(error).code === 'step_up_required') setFactor(true)
      },
    })
  }
  return (
    <Modal opened onClose={onClose} title={glass ? 'Approve alone' : 'Approve this plan'} size="lg">
      <form onSubmit={cast}>
        <Stack gap="sm">
          <Text fw={600}><Outside>{called(all)}</Outside></Text>
          {connection === 'away' && (
            <Text size="sm" fw={600} role="status">Not connected: what stands here may be old.</Text>
          )}
          {glass && <Glass of={glass} />}
          <Next all={all} approval={approval} alone={glass !== undefined} />
          <Textarea
            label="Note" description="For the log, if you want to say why." descriptionProps={FAINT}
            autosize minRows={2} maxRows={6} maxLength={MOST_NOTE}
            value={note} onChange={(event) => setNote(event.currentTarget.value)} error={problem?.field('/note')}
          />
          {factor && (
            <TextInput
              label="Code"
              description="What your generator shows now, or one of your recovery codes. It counts for this one vote."
              descriptionProps={FAINT}
              value={code} onChange={(event) => setCode(event.currentTarget.value)} autoComplete="one-time-code"
              required data-autofocus autoFocus maxLength={64} error={problem?.field('/code')} spellCheck={false}
            />
          )}
          {problem && <Refusal problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button
              type="submit" color={glass ? 'red.9' : 'teal.8'}
              loading={vote.isPending} disabled={factor && code.trim() === ''}
            >
              {glass ? 'Approve alone' : 'Approve'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function Next({ all, approval, alone }: { all: Everything; approval: Approval; alone: boolean }) {
  const { document } = all
  const { final } = wayBack(document)
  const sentences = approving(approval, {
    targets: document.targets.map((place) => place.name),
    nowhere: runsNowhere(document),
    final: final.map((step) => step.name),
    alone,
  })
  return (
    <div>
      <Text size="sm" fw={600}>What happens next</Text>
      <List size="sm" spacing={2}>
        {sentences.map((sentence) => <List.Item key={sentence}><Outside>{sentence}</Outside></List.Item>)}
      </List>
    </div>
  )
}

function Glass({ of }: { of: Schema<'BreakGlassOut'> }) {
  return (
    <Alert color="red" variant="light" icon={<IconFlame size={18} />} title="Nobody else has to agree">
      <Text size="sm">
        You hold emergency authority (it ends <When at={of.expires_at} />). It replaces the votes of others and nothing
        else, the log says that you used it for this, and somebody else reviews it. Until then you cannot take it again.
      </Text>
    </Alert>
  )
}

/** Why the vote was not taken, and what to do. */
function Refusal({ problem }: { problem: Problem }) {
  if (problem.code === 'step_up_required') {
    return <Text size="sm" role="status">This needs your second factor, shown just now for exactly this plan.</Text>
  }
  if (problem.code === 'factor_missing') {
    return (
      <Alert color="red" variant="light" title="You have no second factor" role="alert">
        <Text size="sm">
          Approving this asks for one.{' '}
          <Anchor component={Link} to="/settings" search={{ tab: 'account' } as never} size="sm">
            Set one up in your account
          </Anchor>
          , then come back; or somebody who has one approves it.
        </Text>
      </Alert>
    )
  }
  return <Failed problem={problem} />
}
