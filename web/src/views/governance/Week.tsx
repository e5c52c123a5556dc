import { Tooltip } from '@mantine/core'
import { boundsOf, lanes, within, type Wall } from '../../logic/calendar'
import type { Occurrence } from './Calendar'
import { clock, plain } from './Month'
import classes from './Calendar.module.css'

interface WeekProps {
  days: Wall[]
  found: Occurrence[]
  zone: string
  now: number
  today: Wall
}

const HEADED = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' })
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21]

/** A week hour by hour; what overlaps stands side by side. The list below it says the same in words. */
export function Week({ days, found, zone, now, today }: WeekProps) {
  return (
    <div className={classes.weekFrame} tabIndex={0} role="region" aria-label="The week hour by hour">
      <div className={classes.week}>
        <div className={classes.hours} aria-hidden>
          {HOURS.map((hour) => (
            <span key={hour} style={{ top: `${(hour / 24) * 100}%` }}>{String(hour).padStart(2, '0')}:00</span>
          ))}
        </div>
        {days.map((day) => (
          <div key={day} className={classes.column}>
            <div className={`${classes.head} ${day === today ? classes.today : ''}`}>{HEADED.format(day)}</div>
            <Hours day={day} found={found} zone={zone} now={now} />
          </div>
        ))}
      </div>
    </div>
  )
}

function Hours({ day, found, zone, now }: { day: Wall; found: Occurrence[]; zone: string; now: number }) {
  const bounds = boundsOf(zone, day)
  // Days on which clocks change are as high as others: a share of the day, not of 24 hours.
  const share = (at: number) => ((at - bounds.start) / (bounds.end - bounds.start)) * 100
  return (
    <div className={classes.day}>
      {lanes(within(found, bounds)).map((one) => {
        const hours = `${clock(one.start, zone)} to ${one.end === bounds.end ? '24:00' : clock(one.end, zone)}`
        return (
          <Tooltip key={`${one.id} ${one.start}`} label={`${plain(one.name)}: ${hours}`}>
            <div
              className={one.kind === 'deny' ? `${classes.block} ${classes.deny}` : `${classes.block} ${classes.allow}`}
              style={{
                top: `${share(one.start)}%`, height: `${share(one.end) - share(one.start)}%`,
                left: `${(one.lane / one.of) * 100}%`, width: `${100 / one.of}%`,
              }}
            >
              {plain(one.name)}
            </div>
          </Tooltip>
        )
      })}
      {now >= bounds.start && now < bounds.end && <div className={classes.now} style={{ top: `${share(now)}%` }} />}
    </div>
  )
}
