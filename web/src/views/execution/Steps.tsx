import { Button, Group, SegmentedControl, Stack, Switch, Text, UnstyledButton } from '@mantine/core'
import { memo, useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import type { Attempt } from '../../logic/executionEvents'
import { grid, tally, troubled, type Grid } from '../../logic/stepGrid'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Empty } from '../../parts/State'
import { Lanes } from './Lanes'
import { StepState } from './StepState'
import { useTick } from './useTick'
import classes from './Steps.module.css'

type Run = Schema<'StepRunOut'>

/** Targets drawn before somebody asks for all. */
const MOST = 200

interface StepsProps {
  runs: Run[]
  tries: ReadonlyMap<string, Attempt[]>
  chosen: string | undefined
  onChoose: (run: string) => void
  /** `grid`, or `time`. */
  as: string
  onAs: (as: string) => void
}

/**
 * Every step on every target: where it stands, how often it was tried, how long it took. Not drawn
 * again for what is printed meanwhile.
 */
export const Steps = memo(function Steps({ runs, tries, chosen, onChoose, as, onAs }: StepsProps) {
  const [odd, setOdd] = useState(false)
  const table = useMemo(() => grid(runs), [runs])
  const some = useMemo(() => (odd ? runsOfTroubled(table) : runs), [odd, table, runs])
  if (runs.length === 0) {
    return (
      <Empty title="No step was prepared">
        Steps are laid out when a worker begins; this execution has not come so far.
      </Empty>
    )
  }
  const troubles = table.targets.filter((target) => troubled(target.runs)).length
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" component="div">
          {count(table.steps.length, 'step')} on {count(table.targets.length, 'target')}:{' '}
          {tally(runs).map(([state, n]) => `${n} ${state.replaceAll('_', ' ')}`).join(', ')}
        </Text>
        <Group gap="sm">
          {troubles > 0 && table.targets.length > troubles && (
            <Switch
              size="xs" label={`Only the ${count(troubles, 'target')} with trouble`} checked={odd}
              onChange={(event) => setOdd(event.currentTarget.checked)}
            />
          )}
          <SegmentedControl
            size="xs" value={as === 'time' ? 'time' : 'grid'} onChange={onAs} aria-label="How the steps are shown"
            data={[{ value: 'grid', label: 'Grid' }, { value: 'time', label: 'Time' }]}
          />
        </Group>
      </Group>
      {as === 'time'
        ? <Lanes runs={some} chosen={chosen} onChoose={onChoose} />
        : <Table table={table} odd={odd} tries={tries} chosen={chosen} onChoose={onChoose} />}
    </Stack>
  )
})

const runsOfTroubled = ({ targets }: Grid<Run>) =>
  targets.filter((target) => troubled(target.runs)).flatMap((target) => target.runs.filter((run) => run !== undefined))

interface TableProps extends Pick<StepsProps, 'tries' | 'chosen' | 'onChoose'> {
  table: Grid<Run>
  odd: boolean
}

function Table({ table, odd, tries, chosen, onChoose }: TableProps) {
  const [all, setAll] = useState(false)
  const wanted = odd ? table.targets.filter((target) => troubled(target.runs)) : table.targets
  const shown = all ? wanted : wanted.slice(0, MOST)
  return (
    <>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Steps and targets">
        <table className={classes.table} aria-label="Steps by target">
          <thead>
            <tr>
              <th scope="col">Target</th>
              {table.steps.map((step) => (
                <th key={step.order} scope="col">
                  {step.order}. <Outside>{step.name}</Outside>
                  {step.stage === 'verify' && <span className="faint"> (check)</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((target) => (
              <tr key={target.id}>
                <th scope="row"><Outside>{target.name}</Outside></th>
                {target.runs.map((run, at) => (
                  <td key={table.steps[at]?.order ?? at}>
                    {run && <Cell run={run} tries={tries.get(run.id)} chosen={run.id === chosen} onChoose={onChoose} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < wanted.length && (
        <Button size="compact-sm" variant="default" onClick={() => setAll(true)}>
          Show all {count(wanted.length, 'target')}
        </Button>
      )}
    </>
  )
}

interface CellProps {
  run: Run
  tries: Attempt[] | undefined
  chosen: boolean
  onChoose: (run: string) => void
}

function Cell({ run, tries, chosen, onChoose }: CellProps) {
  const undoing = tries?.at(-1)?.direction === 'undo' && tries.at(-1)?.state === 'running'
  const again = tries ? tries.filter((one) => one.direction === 'do').length : run.retry_attempt + 1
  return (
    <UnstyledButton
      className={classes.cell} aria-pressed={chosen} onClick={() => onChoose(run.id)}
      aria-label={`${run.name} on ${run.target}: ${undoing ? 'undoing' : run.state.replaceAll('_', ' ')}`}
    >
      {undoing ? <StepState of="running" /> : <StepState of={run.state} />}
      {undoing && <span>(undo)</span>}
      <small>
        {typeof run.exit_code === 'number' && run.exit_code !== 0 ? `exit ${run.exit_code} ` : ''}
        {again > 1 ? `${again}× ` : ''}
        <Took run={run} />
      </small>
    </UnstyledButton>
  )
}

/** How long a run took, or has taken so far. */
export function Took({ run }: { run: Run }) {
  const now = useTick(run.state === 'running')
  if (typeof run.duration_ms === 'number') return <>{duration(run.duration_ms)}</>
  if (run.state === 'running' && run.started_at) return <>{duration(Math.max(0, now - Date.parse(run.started_at)))}</>
  return null
}
