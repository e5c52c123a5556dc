import { duration } from '../../logic/time'
import type { RunbookTrigger } from '../../logic/runbook'
import { Outside } from '../../parts/Outside'

/** Seconds for people: `45 s`, `5 min`, `1 h 30 min`. */
export const seconds = (s: number) => (s < 60 ? `${s} s` : duration(s * 1_000).replace(/ 0 (?:s|min|h)$/, ''))

/** What a trigger wants of an alert, a condition each. */
export function wants(trigger: RunbookTrigger): { name: string; wanted: React.ReactNode }[] {
  const pattern = (text: string) => <Outside mono>{text}</Outside>
  const all = [
    { name: 'Alert’s name', wanted: trigger.alertName && pattern(trigger.alertName) },
    { name: 'Severity', wanted: trigger.severity && pattern(trigger.severity) },
    { name: 'Source', wanted: trigger.source && pattern(trigger.source) },
    ...trigger.labels.map(([label, value]) => ({
      name: 'Label', wanted: <>{pattern(label)} is {pattern(value)}</>,
    })),
    {
      name: 'Time of day',
      wanted: (trigger.from || trigger.until)
        && `from ${trigger.from || '?'} until ${trigger.until || '?'} in ${trigger.timezone}`,
    },
    {
      name: 'Not again before',
      wanted: trigger.cooldown > 0 && `${seconds(trigger.cooldown)} after it last started on the same host`,
    },
  ]
  return all.filter((one) => Boolean(one.wanted))
}
