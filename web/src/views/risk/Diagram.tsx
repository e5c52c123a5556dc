import { furthest, ticks } from '../../logic/calibration'
import { percent } from '../../logic/decision'
import type { Bin } from './predicted'
import classes from './Risk.module.css'

const SIZE = 320
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 20, 10, 40]
const ROOM = SIZE - LEFT - RIGHT
const TALL = SIZE - TOP - BOTTOM

/** The calibration diagram: predicted to the right, observed upwards; on the diagonal both agree. */
export function Diagram({ bins }: { bins: Bin[] }) {
  const drawn = bins.filter((bin) => bin.n > 0)
  const end = furthest(drawn)
  const x = (value: number) => LEFT + (Math.min(value, end) / end) * ROOM
  const y = (value: number) => TOP + TALL - (Math.min(value, end) / end) * TALL
  const most = Math.max(...drawn.map((bin) => bin.n), 1)
  const told = drawn.map((bin) => `predicted ${percent(bin.predicted)}, failed ${percent(bin.observed)} of ${bin.n}`)
  return (
    <svg
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      className={classes.calibration}
      role="img"
      aria-label={`Predicted against observed share of failures: ${told.join('; ')}. The table says the same.`}
    >
      {ticks(end).map((value) => (
        <g key={value} stroke="var(--edge)" fill="var(--faint)" fontSize={11}>
          <line x1={x(value)} x2={x(value)} y1={TOP} y2={TOP + TALL} />
          <line x1={LEFT} x2={LEFT + ROOM} y1={y(value)} y2={y(value)} />
          <text stroke="none" x={x(value)} y={TOP + TALL + 15} textAnchor="middle">{percent(value, 0)}</text>
          <text stroke="none" x={LEFT - 6} y={y(value) + 4} textAnchor="end">{percent(value, 0)}</text>
        </g>
      ))}
      <line x1={x(0)} y1={y(0)} x2={x(end)} y2={y(end)} stroke="var(--faint)" strokeDasharray="5 4" />
      {drawn.map((bin) => (
        <g key={bin.from} stroke="var(--mantine-primary-color-filled)" fill="var(--mantine-primary-color-filled)">
          <line x1={x(bin.predicted)} x2={x(bin.predicted)} y1={y(bin.lower)} y2={y(bin.upper)} strokeWidth={2} />
          {[bin.lower, bin.upper].map((at, index) => (
            <path key={index} d={`M${x(bin.predicted) - 4} ${y(at)}h8`} strokeWidth={2} />
          ))}
          <circle cx={x(bin.predicted)} cy={y(bin.observed)} r={3 + 4 * Math.sqrt(bin.n / most)} stroke="none" />
        </g>
      ))}
      <text x={LEFT + ROOM / 2} y={SIZE - 6} textAnchor="middle" fontSize={12} fill="currentColor">predicted</text>
      <text
        x={13} y={TOP + TALL / 2} textAnchor="middle" fontSize={12} fill="currentColor"
        transform={`rotate(-90 13 ${TOP + TALL / 2})`}
      >
        failed
      </text>
    </svg>
  )
}
