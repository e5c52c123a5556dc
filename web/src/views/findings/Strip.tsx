import { apart, placeOnLine, span } from '../../logic/apart'
import { count } from '../../logic/words'
import classes from './findings.module.css'

interface StripProps {
  events: { id: string; seconds: number; score: number; name: string }[]
}

const LEAST_PX = 6
const MOST_PX = 15

/**
 * What happened on one line: before on the left, after on the right, the finding in the middle; the
 * surer something belongs to it, the larger its dot. The list below says the same.
 */
export function Strip({ events }: StripProps) {
  const farthest = Math.max(60, ...events.map((event) => Math.abs(event.seconds)))
  const before = events.filter((event) => event.seconds < 0).length
  const label =
    `${count(before, 'event')} before the finding and ${events.length - before} after it, ` +
    `the farthest ${span(farthest)} away. The list below names them.`
  return (
    <div className={classes.strip} role="img" aria-label={label}>
      <span className={classes.line} />
      <span className={classes.middle} />
      {events.map((event) => {
        const size = LEAST_PX + event.score * (MOST_PX - LEAST_PX)
        const left = `${50 + placeOnLine(event.seconds, farthest) * 48}%`
        return (
          <span
            key={event.id} className={classes.dot} title={`${event.name}, ${apart(event.seconds)}`}
            style={{ left, width: size, height: size }}
          />
        )
      })}
      <span className={classes.end} style={{ left: 0 }}>before</span>
      <span className={classes.end} style={{ left: '50%', transform: 'translateX(-50%)' }}>the finding</span>
      <span className={classes.end} style={{ right: 0 }}>after</span>
    </div>
  )
}
