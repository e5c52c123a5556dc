import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconQuestionMark } from '@tabler/icons-react'
import { api, type Schema } from '../../api/client'
import { useAccount, useMay } from '../../app/session'
import type { Doubt } from '../../logic/executionEvents'
import type { PlanDocument } from '../../logic/planDocument'
import { whyNotSettle } from '../../logic/settling'
import { Outside } from '../../parts/Outside'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

type Run = Schema<'StepRunOut'>
type Choice = Schema<'ChoiceIn'>

interface DoubtfulProps {
  execution: Schema<'ExecutionDetail'>
  doubts: Doubt[]
  plan: PlanDocument | undefined
  onLook: (run: string) => void
}

/** What nobody knows the end of: a person says what they found on the target. */
export function Doubtful({ execution, doubts, plan, onLook }: DoubtfulProps) {
  if (execution.state !== 'needs_human') return null
  return (
    <Alert color="red" variant="light" icon={<IconQuestionMark size={18} />} title="A person must say what happened">
      <Stack gap="sm">
        <Text size="sm">
          Whether the following ran to its end cannot be known from here. Look on the target, then say what you found.
          Nothing goes on until then.
        </Text>
        {doubts.length === 0 && (
          <Text size="sm" role="status">No step waits for an answer any more.</Text>
        )}
        {doubts.map((doubt) => {
          const run = execution.steps.find((step) => step.id === doubt.run)
          return run && <One key={run.id} execution={execution} run={run} doubt={doubt} plan={plan} onLook={onLook} />
        })}
      </Stack>
    </Alert>
  )
}

const CHOICES: [Choice, string][] = [
  ['mark_succeeded', 'It worked'], ['mark_failed', 'It did not work'], ['retry', 'Run it again'],
]

interface OneProps extends Pick<DoubtfulProps, 'execution' | 'plan' | 'onLook'> {
  run: Run
  doubt: Doubt
}

function One({ execution, run, doubt, plan, onLook }: OneProps) {
  const account = useAccount()
  const may = useMay('executions.run')
  const touch = useTouch()
  const step = plan?.steps.find((one) => one.order === run.order)
  const semantics = step?.semantics
  const why = whyNotSettle({ ...account, may }, execution, semantics)
  return (
    <div>
      <Text size="sm" fw={600} component="div">
        {doubt.direction === 'undo' && 'The undo of '}<Outside>{run.name}</Outside> on <Outside>{run.target}</Outside>
      </Text>
      {run.error && <Text size="sm" component="div"><Outside>{run.error}</Outside></Text>}
      <Group gap="xs" mt={4}>
        {CHOICES.map(([choice, label]) => (
          <Sure
            key={choice} label={label} title={`${label}?`} why={why} color={choice === 'retry' ? 'red' : undefined}
            act={() => api.POST('/api/v1/executions/{id}/steps/{step}/resolve', {
              params: { path: { id: execution.id, step: run.id } }, body: { choice },
            })}
            onDone={() => void touch('executions', 'dashboard')}
          >
            <Text size="sm" component="div"><Outside>{run.name}</Outside> on <Outside>{run.target}</Outside></Text>
            <Text size="sm" mt="xs">{means(choice, doubt.direction, step?.continueOnFailure ?? false, semantics)}</Text>
          </Sure>
        ))}
        <Button size="compact-sm" variant="subtle" onClick={() => onLook(run.id)}>Its output</Button>
      </Group>
    </div>
  )
}

/** What follows from a choice, exactly. */
function means(choice: Choice, direction: string, goesOn: boolean, semantics: string | undefined): string {
  if (direction === 'undo') {
    if (choice === 'mark_succeeded') return 'It counts as undone, and the way back goes on with what was done before.'
    if (choice === 'mark_failed') return 'Its undo counts as failed. The way back ends here, and the rest stays.'
    return 'Its undo runs once more on the target, at once.'
  }
  if (choice === 'mark_succeeded') return 'It counts as succeeded, and the execution goes on with what comes after it.'
  if (choice === 'mark_failed') {
    return goesOn
      ? 'It counts as failed. The plan goes on all the same: it says that this step may fail.'
      : 'It counts as failed. What was done is undone, the last first; what has no undo stays.'
  }
  const again = 'Its command runs once more on the target, at once.'
  const once = 'It must never run twice: choose this only when you saw that it did not run.'
  return semantics === 'at_most_once' ? `${again} ${once}` : again
}
