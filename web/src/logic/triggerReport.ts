import { fields, items, number, text } from './json'

/** A condition of a trigger: what is wanted of the alert, and what was found. */
export interface Condition {
  criterion: string
  /** Its name for people. */
  label: string
  holds: boolean
  wanted: string
  found: string
  /** The server's words for it. */
  reason: string
}

/** How one trigger came out for one alert. */
export interface TriggerReport {
  trigger: string
  priority: number
  matched: boolean
  /** Whether it is the one its runbook starts by. */
  chosen: boolean
  conditions: Condition[]
}

const LABELS: Record<string, string> = {
  firing: 'Alert is firing',
  active: 'Runbook is active',
  mode: 'Mode lets alerts ask',
  enabled: 'Trigger is on',
  alert_name: 'Alert’s name',
  severity: 'Severity',
  source: 'Source',
  labels: 'Labels',
  time_window: 'Time of day',
  cooldown: 'Time since the last start',
}

/**
 * The reports of a runbook's triggers, however they are wrapped: a list of them, one alone, or
 * `{"triggers": […]}`. The shape is that of `crates/act/src/runbook/trigger.rs`.
 */
export function readReports(value: unknown): TriggerReport[] {
  const given = fields(value)
  const alone = given.verdicts ? [given] : []
  const list = Array.isArray(value) ? value : Array.isArray(given.triggers) ? given.triggers : alone
  return items(list).map((report) => {
    const one = fields(report)
    return {
      trigger: text(one.trigger),
      priority: number(one.priority) ?? 100,
      matched: one.matched === true,
      chosen: one.chosen === true,
      conditions: items(one.verdicts).map(readCondition),
    }
  })
}

function readCondition(value: unknown): Condition {
  const given = fields(value)
  const criterion = text(given.criterion)
  const reason = text(given.reason)
  return {
    criterion,
    label: LABELS[criterion] ?? criterion.replaceAll('_', ' '),
    holds: given.holds === true,
    ...wantedAndFound(criterion, reason),
    reason,
  }
}

/** What the server's reason says was wanted and found; where it cannot be told apart, it is what was found. */
export function wantedAndFound(criterion: string, reason: string): { wanted: string; found: string } {
  const after = (words: string) => (reason.startsWith(words) ? reason.slice(words.length) : reason)
  const nothing = reason === 'nothing is asked' ? { wanted: 'anything', found: '' } : undefined
  switch (criterion) {
    case 'firing':
      return { wanted: 'firing', found: after('the alert is ') }
    case 'active':
      return { wanted: 'active', found: after('the runbook is ') }
    case 'mode':
      return { wanted: 'auto or semi_auto', found: after('its mode is ') }
    case 'enabled':
      return { wanted: 'enabled', found: after('the trigger is ') }
    case 'alert_name': case 'severity': case 'source':
      return nothing ?? patterned(reason)
    case 'labels':
      return labelled(reason)
    case 'time_window': {
      const told = /^(\S+) in (\S+) is (?:within|outside) (\S+) to (\S+)$/.exec(reason)
      if (told) return { wanted: `${told[3]} to ${told[4]} in ${told[2]}`, found: told[1] ?? '' }
      return nothing ?? { wanted: '', found: reason }
    }
    case 'cooldown': {
      const told = /^(-?\d+) of (\d+) seconds/.exec(reason)
      return told ? { wanted: `${told[2]} s`, found: `${told[1]} s` } : { wanted: '', found: reason }
    }
    default:
      return { wanted: '', found: reason }
  }
}

/** `A* does not match B`. A pattern may hold those words itself: the first split counts. */
function patterned(reason: string): { wanted: string; found: string } {
  const told = /^(.*?) (?:does not match|matches) (.*)$/s.exec(reason)
  return told ? { wanted: told[1] ?? '', found: told[2] ?? '' } : { wanted: '', found: reason }
}

function labelled(reason: string): { wanted: string; found: string } {
  const missing = /^the label (.*) is missing$/s.exec(reason)
  if (missing) return { wanted: missing[1] ?? '', found: 'no such label' }
  const all = /^(\d+) labels match$/.exec(reason)
  if (all?.[1] === '0') return { wanted: 'anything', found: '' }
  if (all) return { wanted: `${all[1]} labels`, found: 'all of them' }
  const told = /^(.*?): (.*?) does not match (.*)$/s.exec(reason)
  return told ? { wanted: `${told[1]}: ${told[2]}`, found: told[3] ?? '' } : { wanted: '', found: reason }
}

/** The first condition that does not hold; nothing when all do. */
export const firstUnmet = (report: TriggerReport) => report.conditions.find((condition) => !condition.holds)

/** The condition in a sentence: why it keeps the trigger from matching. */
export function unmetInWords({ criterion, wanted, found, reason }: Condition): string {
  switch (criterion) {
    case 'firing':
      return `The alert is ${found}, not firing.`
    case 'active':
      return `The runbook is ${found}: alerts ask for active ones only.`
    case 'mode':
      return `The runbook’s mode is ${found}: no alert asks for it.`
    case 'enabled':
      return 'The trigger is switched off.'
    case 'alert_name':
      return wanted ? `The name is ${found}; wanted is ${wanted}.` : `The name: ${reason}.`
    case 'severity':
      return wanted ? `The severity is ${found}; wanted is ${wanted}.` : `The severity: ${reason}.`
    case 'source':
      return wanted ? `The source is ${found}; wanted is ${wanted}.` : `The source: ${reason}.`
    case 'labels':
      if (found === 'no such label') return `The label ${wanted} is missing.`
      return wanted ? `The label is ${found}; wanted is ${wanted}.` : `The labels: ${reason}.`
    case 'time_window':
      return wanted ? `It was ${found}; wanted is ${wanted}.` : `The time: ${reason}.`
    case 'cooldown':
      return wanted ? `It had started here ${found} before; ${wanted} must pass at least.` : `The cooldown: ${reason}.`
    default:
      return `${reason}.`
  }
}

/** The report that came closest: the one that matched, else the one with the fewest conditions unmet. */
export function closest(reports: TriggerReport[]): TriggerReport | undefined {
  const unmet = (report: TriggerReport) => report.conditions.filter((condition) => !condition.holds).length
  return [...reports].sort((a, b) =>
    Number(b.chosen) - Number(a.chosen) || Number(b.matched) - Number(a.matched)
    || unmet(a) - unmet(b) || a.priority - b.priority,
  )[0]
}

/** Whether only its status or mode keep the runbook from matching. */
export function onlyAsleep(reports: TriggerReport[]): boolean {
  const asleep = (condition: Condition) => condition.criterion === 'active' || condition.criterion === 'mode'
  return reports.some(
    ({ matched, conditions }) =>
      !matched && conditions.length > 0 && conditions.every((one) => one.holds || asleep(one)),
  )
}
