import { Text, UnstyledButton } from '@mantine/core'
import { memo, useMemo } from 'react'
import type { Schema } from '../../api/client'
import { axis, bar } from '../../logic/stepGrid'
import { absolute, duration } from '../../logic/time'
import { Outside } from '../../parts/Outside'
import { Empty } from '../../parts/State'
import { stateColour } from './StepState'
import { useSome } from './useSome'
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
  const { from, to, runs: began } = useMemo(() => axis(runs, now), [runs, now])
  const { shown, more } = useSome(began, 'step run')
  if (began.length === 0) return <Empty title="Nothing has run yet" />
  return (
    <>
      <ul className={classes.lanes} tabIndex={0} aria-label="Steps in the order they began">
        {shown.map((run) => (
          <Lane key={run.id} run={run} from={from} to={to} chosen={run.id === chosen} onChoose={onChoose} />
        ))}
      </ul>
      {more}
      <Text size="xs" className="faint" mt={4}>
        {absolute(from)} to {absolute(to)}, {duration(to - from)}
      </Text>
    </>
  )
}

interface LaneProps {
  run: Run
  from: number
  to: number
  chosen: boolean
  onChoose: (run: string) => void
}

/** One run. Those that are over are drawn again only when the axis moves on. */
const Lane = memo(function Lane({ run, from, to, chosen, onChoose }: LaneProps) {
  const now = useTick(run.state === 'running')
  const { left, width } = bar(run, { from, to }, now)
  const took = run.duration_ms ?? Math.max(0, now - Date.parse(run.started_at ?? ''))
  return (
    <li className={classes.lane}>
      <UnstyledButton className={classes.name} aria-pressed={chosen} onClick={() => onChoose(run.id)}>
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
})
