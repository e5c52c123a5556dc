import { Tooltip, VisuallyHidden } from '@mantine/core'
import { IconBan, IconTool } from '@tabler/icons-react'
import { boundsOf, within, type Wall } from '../../logic/calendar'
import { visible } from '../../logic/visible'
import type { Occurrence } from './Calendar'
import classes from './Calendar.module.css'

interface MonthProps {
  weeks: Wall[][]
  /** Any day of the month that is meant. */
  month: Wall
  found: Occurrence[]
  zone: string
  today: Wall
}

const WEEKDAY = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' })
const LONG = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })
/** Marks of a day; how many more there are is said. */
const SHOWN = 4

/** Text from outside where only a string can stand: what cannot be seen is made visible. */
export const plain = (text: string) => visible(text).map((part) => part.text).join('')

/** A moment as the clocks of a zone read it: `22:00`. */
export const clock = (at: number, zone: string) =>
  new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })

/** A month in weeks from Monday on; each day with the windows it has. */
export function Month({ weeks, month, found, zone, today }: MonthProps) {
  const of = new Date(month).getUTCMonth()
  return (
    <table className={classes.month} aria-label="Windows by day">
      <thead>
        <tr>{weeks[0]?.map((day) => <th key={day} scope="col">{WEEKDAY.format(day)}</th>)}</tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((day) => (
              <Day
                key={day} day={day} found={found} zone={zone} today={day === today}
                other={new Date(day).getUTCMonth() !== of}
              />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface DayProps {
  day: Wall
  found: Occurrence[]
  zone: string
  today: boolean
  other: boolean
}

function byWindow(found: Occurrence[]): Occurrence[][] {
  const groups = new Map<string, Occurrence[]>()
  for (const one of found) groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  return [...groups.values()]
}

function Day({ day, found, zone, today, other }: DayProps) {
  const bounds = boundsOf(zone, day)
  // A window that comes twice in a day, as nights do, is said once.
  const here = byWindow(within(found, bounds))
  const hours = (one: Occurrence) => {
    const whole = one.start === bounds.start && one.end === bounds.end
    return whole ? 'all day' : `${clock(one.start, zone)} to ${one.end === bounds.end ? '24:00' : clock(one.end, zone)}`
  }
  return (
    <td className={other ? classes.other : undefined} aria-current={today ? 'date' : undefined}>
      <span className={today ? `${classes.number} ${classes.today}` : classes.number} aria-hidden>
        {new Date(day).getUTCDate()}
      </span>
      <VisuallyHidden>{LONG.format(day)}</VisuallyHidden>
      <ul className={classes.marks}>
        {here.slice(0, SHOWN).map((all) => {
          const one = all[0]
          if (!one) return null
          const what = one.kind === 'deny' ? 'blackout' : 'maintenance'
          const Icon = one.kind === 'deny' ? IconBan : IconTool
          return (
            <li key={one.id}>
              <Tooltip label={`${plain(one.name)}, ${what}: ${all.map(hours).join(', ')}`}>
                <span className={`${classes.mark} ${one.kind === 'deny' ? classes.deny : classes.allow}`}>
                  <Icon size={11} role="img" aria-label={what} />
                  <span className={classes.said}>{plain(one.name)}</span>
                </span>
              </Tooltip>
            </li>
          )
        })}
        {here.length > SHOWN && <li className="faint">+{here.length - SHOWN}</li>}
      </ul>
    </td>
  )
}
