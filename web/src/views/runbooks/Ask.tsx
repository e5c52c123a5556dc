import { Anchor, Button, Checkbox, Group, List, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import type { Evaluation } from '../../logic/evaluation'
import { count } from '../../logic/words'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { useTouch } from '../../parts/useTouch'
import { Commands } from './Commands'
import { Verdict } from './Evaluated'
import classes from './runbooks.module.css'
import type { Choice } from './useChoice'

interface AskProps {
  id: string
  /** What the gate would say to it; none while nothing is asked. */
  evaluation: Evaluation | undefined
  body: Choice['body']
  onClose: () => void
}

/** Asks once more before a run is asked for, and shows what came of it. */
export function Ask({ id, evaluation, body, onClose }: AskProps) {
  return (
    <Modal opened={evaluation !== undefined} onClose={onClose} title="Ask for it?" size="lg">
      {evaluation && <Question id={id} evaluation={evaluation} body={body} onClose={onClose} />}
    </Modal>
  )
}

function Question({ id, evaluation, body, onClose }: AskProps & { evaluation: Evaluation }) {
  const touch = useTouch()
  const [why, say] = useState('')
  const [shown, show] = useState(false)
  const asking = useMutation({
    mutationFn: async () => {
      const { data } = await api.POST('/api/v1/runbooks/{id}/run', {
        params: { path: { id } }, body: { ...body, intent: why.trim(), plan_hash: evaluation.planHash },
      })
      if (!data) throw new Error('the server said nothing of what came of it')
      return data
    },
    onSuccess: () => touch('executions', 'approvals', 'plans', 'intents', 'decisions', 'dashboard'),
  })
  if (asking.data) return <Came asked={asking.data} onClose={onClose} />
  const problem = asking.error ? asProblem(asking.error) : undefined
  const { targets, steps, runbook } = evaluation
  return (
    <Stack gap="sm" className={classes.legible}>
      <Text size="sm" component="div">
        <Outside>{runbook.name}</Outside>{runbook.version !== undefined && `, version ${runbook.version},`} is asked for
        on <Outside>{targets.map((target) => target.name).join(', ')}</Outside>: {count(steps.length, 'step')} on
        {targets.length === 1 ? ' one host' : ` each of ${count(targets.length, 'host')}`}.
      </Text>
      <Verdict evaluation={evaluation} />
      <Text size="sm">The gate is asked again now, so its answer may be another one.</Text>
      <Checkbox label="Show every command" checked={shown} onChange={(event) => show(event.currentTarget.checked)} />
      {shown && <Commands evaluation={evaluation} />}
      <Textarea
        label="Why" description="Kept with the request, and shown to whoever approves."
        autosize minRows={2} maxLength={2_000} data-autofocus
        value={why} onChange={(event) => say(event.currentTarget.value)} error={problem?.field('/intent')}
      />
      {problem && <Failed problem={problem} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button onClick={() => asking.mutate()} loading={asking.isPending}>Ask for it</Button>
      </Group>
    </Stack>
  )
}

/** What came of asking, with where to go on. */
function Came({ asked, onClose }: { asked: Schema<'AskedOut'>; onClose: () => void }) {
  const said = asked.verdict === 'deny' ? 'It was refused; nothing runs.'
    : asked.approval_id ? 'It waits for approval.' : 'It may start: a worker takes it.'
  return (
    <Stack gap="sm">
      <Group gap="sm" role="status"><Text fw={600}>{said}</Text><Status of={asked.state} /></Group>
      {asked.repeated && <Text size="sm">The same was asked before: this is what came of it then.</Text>}
      <List size="sm" spacing={4}>
        {asked.approval_id && (
          <List.Item>
            <Anchor component={Link} to={`/approvals/${asked.approval_id}`}>The approval it waits for</Anchor>
          </List.Item>
        )}
        <List.Item><Anchor component={Link} to={`/executions/${asked.execution_id}`}>The execution</Anchor></List.Item>
        <List.Item><Anchor component={Link} to={`/plans/${asked.plan_id}`}>The plan</Anchor></List.Item>
        <List.Item>
          <Anchor component={Link} to={`/decisions/${asked.decision_id}`}>The decision, and why</Anchor>
        </List.Item>
      </List>
      <Group justify="flex-end"><Button variant="default" onClick={onClose}>Close</Button></Group>
    </Stack>
  )
}
