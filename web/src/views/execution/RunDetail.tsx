import { Alert, Anchor, Group, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import type { Attempt } from '../../logic/executionEvents'
import { shown, type PlanDocument } from '../../logic/planDocument'
import { duration } from '../../logic/time'
import { Disclose } from '../../parts/Disclose'
import { Lines, Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { When } from '../../parts/When'
import { StepState } from './StepState'
import { Took } from './Steps'

interface RunDetailProps {
  run: Schema<'StepRunOut'>
  tries: Attempt[] | undefined
  plan: PlanDocument | undefined
}

const SEMANTICS: Record<string, string> = {
  read: 'It changes nothing.',
  idempotent: 'Running it twice is the same as running it once.',
  at_most_once: 'It must never run twice.',
}

/** One step on one target: its command, its undo, and every attempt. */
export function RunDetail({ run, tries, plan }: RunDetailProps) {
  const step = plan?.steps.find((one) => one.order === run.order)
  const script = step?.scripts[run.resource_id]
  const undo = step?.undo[run.resource_id]
  return (
    <Stack gap="xs">
      <Group gap="sm" fz="sm">
        <Group gap={4}><StepState of={run.state} /></Group>
        {typeof run.exit_code === 'number' && <span>exit code {run.exit_code}</span>}
        <Took run={run} />
        {run.started_at && <span>began <When at={run.started_at} /></span>}
        {run.completed_at && <span>ended <When at={run.completed_at} /></span>}
        <Anchor component={Link} to={`/estate/${run.resource_id}`} size="sm">the target</Anchor>
      </Group>
      {run.error && <Alert color="red" variant="light" p="xs"><Outside>{run.error}</Outside></Alert>}
      {step && (
        <Text size="sm" className="faint" component="div">
          <span className="mono">{step.action}</span>. {SEMANTICS[step.semantics] ?? step.semantics}{' '}
          {step.description && <Outside>{step.description}</Outside>}
        </Text>
      )}
      {script && (
        <Disclose label="The command">
          <Lines label={`The command of ${run.name} on ${run.target}`}>{shown(script)}</Lines>
        </Disclose>
      )}
      {undo && (
        <Disclose label={undoLabel(run)}>
          <Lines label={`The undo of ${run.name} on ${run.target}`}>{shown(undo)}</Lines>
        </Disclose>
      )}
      {step && !undo && step.stage === 'act' && step.semantics !== 'read' && (
        <Text size="sm" className="faint">It has no undo on this target.</Text>
      )}
      {tries && tries.length > 0 && <Attempts run={run} tries={tries} />}
    </Stack>
  )
}

function undoLabel(run: Schema<'StepRunOut'>): string {
  if (run.state === 'undone') return 'The undo, which ran'
  return run.state === 'undo_failed' ? 'The undo, which failed' : 'The undo'
}

function Attempts({ run, tries }: { run: Schema<'StepRunOut'>; tries: Attempt[] }) {
  // One that worked the first time has nothing to tell that does not stand above.
  if (tries.length === 1 && tries[0]?.direction === 'do') return null
  return (
    <PlainTable
      label={`Attempts of ${run.name} on ${run.target}`} rows={tries} id={(one) => `${one.direction} ${one.no}`}
      columns={[
        { name: 'Attempt', cell: (one) => `${one.direction === 'undo' ? 'Undo' : 'Run'} ${one.no}` },
        { name: 'State', cell: (one) => <Group gap={4}><StepState of={one.state} /></Group> },
        { name: 'Exit code', cell: (one) => one.exitCode ?? '–' },
        { name: 'Began', cell: (one) => <When at={one.began} none="–" /> },
        { name: 'Took', cell: (one) => took(one) },
        { name: 'What went wrong', cell: (one) => <Outside>{one.error}</Outside> },
      ]}
    />
  )
}

function took({ began, ended }: Attempt): string {
  return began && ended ? duration(Math.max(0, Date.parse(ended) - Date.parse(began))) : '–'
}
