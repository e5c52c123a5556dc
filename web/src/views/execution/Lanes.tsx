import { Text, UnstyledButton } from '@mantine/core'
import type { Schema } from '../../api/client'
import { bars } from '../../logic/stepGrid'
import { absolute, duration } from '../../logic/time'
import { Outside } from '../../parts/Outside'
import { Empty } from '../../parts/State'
import { stateColour } from './StepState'
import { useTick } from './useTick'
import classes from './Steps.module.css'

type Run = Schema<'StepRunOut'>

interface LanesProps {
  runs: Run[]
  chosen: string | undefined
  onChoose: (run: string) => void
}

/** When each step ran on each target, on one axis of time. */
export function Lanes({ runs, chosen, onChoose }: LanesProps) {
  const now = useTick(runs.some((run) => run.state === 'running'))
  const axis = bars(runs, now)
  if (axis.bars.length === 0) return <Empty title="Nothing has run yet" />
  return (
    <>
      <ul className={classes.lanes} tabIndex={0} aria-label="Steps in the order they began">
        {axis.bars.map(({ run, left, width }) => {
          const took = run.duration_ms ?? Math.max(0, now - Date.parse(run.started_at ?? ''))
          return (
            <li key={run.id} className={classes.lane}>
              <UnstyledButton
                className={classes.name} aria-pressed={run.id === chosen} onClick={() => onChoose(run.id)}
              >
                <Outside>{`${run.name} · ${run.target}`}</Outside>
              </UnstyledButton>
              <div className={classes.track}>
                <div
                  className={`${classes.bar} ${stateColour(run.state) ?? ''}`}
                  style={{ left: `${left}%`, width: `${width}%` }}
                />
              </div>
              <span className={classes.took}>{run.state.replaceAll('_', ' ')}, {duration(took)}</span>
            </li>
          )
        })}
      </ul>
      <Text size="xs" className="faint" mt={4}>
        {absolute(axis.from)} to {absolute(axis.to)}, {duration(axis.to - axis.from)}
      </Text>
    </>
  )
}
