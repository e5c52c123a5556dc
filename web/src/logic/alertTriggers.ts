import { asList, asNumber, asRecord, asText } from './loose'

/** How one criterion of a trigger came out. */
export interface CriterionVerdict {
  criterion: string
  holds: boolean
  reason: string
}

/** How one trigger came out. */
export interface TriggerVerdict {
  id: string
  name: string
  priority: number
  matched: boolean
  /** Whether it is the one its runbook starts by. */
  chosen: boolean
  /** Those that do not hold first. */
  verdicts: CriterionVerdict[]
}

/** What was asked of the gate for a match. */
export interface TriggerAsked {
  intent?: string
  plan?: string
  approval?: string
  execution?: string
  state?: string
  verdict?: string
}

/** What came of a match: it was asked for, it started just before, or it could not be asked for. */
export interface TriggerStarted {
  asked?: TriggerAsked
  cooldown?: string
  error?: string
}

/** A runbook with its triggers. */
export interface RunbookVerdict {
  id: string
  name: string
  matched: boolean
  triggers: TriggerVerdict[]
  started?: TriggerStarted
}

/** Why each trigger of each runbook did or did not match an alert. */
export interface AlertTriggers {
  /** Said instead of all else when the alert was over before anybody looked. */
  resolved?: string
  runbooks: RunbookVerdict[]
}

/**
 * Reads `trigger_report` of an alert: `{ triggers: [...], started: [...] }` or `{ resolved }`, as
 * the server's assessment writes it. Runbooks that matched come first, then by name.
 */
export function readAlertTriggers(value: unknown): AlertTriggers {
  const report = asRecord(value)
  const started = new Map<string, TriggerStarted>()
  for (const one of asList(report.started)) {
    const name = asText(asRecord(one).runbook)
    if (name) started.set(name, readStarted(one))
  }
  const runbooks = new Map<string, RunbookVerdict>()
  for (const one of asList(report.triggers)) {
    const said = asRecord(one)
    const [id, name] = [asText(said.runbook_id) ?? '', asText(said.runbook) ?? 'A runbook']
    const known = runbooks.get(id || name)
    const runbook = known ?? { id, name, matched: false, triggers: [], started: started.get(name) }
    if (!known) runbooks.set(id || name, runbook)
    const trigger = readTrigger(said)
    runbook.triggers.push(trigger)
    runbook.matched ||= trigger.matched
  }
  const sorted = [...runbooks.values()].sort(
    (one, other) => Number(other.matched) - Number(one.matched) || one.name.localeCompare(other.name),
  )
  return { resolved: asText(report.resolved), runbooks: sorted }
}

function readTrigger(said: Record<string, unknown>): TriggerVerdict {
  const verdicts = asList(said.verdicts).map((one): CriterionVerdict => {
    const verdict = asRecord(one)
    return {
      criterion: asText(verdict.criterion) ?? 'criterion',
      holds: verdict.holds === true,
      reason: asText(verdict.reason) ?? '',
    }
  })
  return {
    id: asText(said.trigger_id) ?? '',
    name: asText(said.trigger) ?? 'A trigger',
    priority: asNumber(said.priority) ?? 0,
    matched: said.matched === true,
    chosen: said.chosen === true,
    verdicts: [...verdicts.filter((one) => !one.holds), ...verdicts.filter((one) => one.holds)],
  }
}

function readStarted(value: unknown): TriggerStarted {
  const said = asRecord(value)
  const asked = asRecord(said.asked)
  return {
    asked: said.asked === undefined ? undefined : {
      intent: asText(asked.intent_id),
      plan: asText(asked.plan_id),
      approval: asText(asked.approval_id),
      execution: asText(asked.execution_id),
      state: asText(asked.state),
      verdict: asText(asked.verdict),
    },
    cooldown: asText(said.cooldown),
    error: asText(said.error),
  }
}

/** Why a trigger did not match, in a line; `undefined` when it did. */
export function whyNotMatched(trigger: TriggerVerdict): string | undefined {
  if (trigger.matched) return undefined
  const failed = trigger.verdicts.filter((verdict) => !verdict.holds)
  if (failed.length === 0) return 'it does not say why'
  return failed.map((verdict) => verdict.reason || verdict.criterion).join('; ')
}
