import { fields } from './json'

/** Whether an alert, as the API tells it, still waits to be looked at: whether a runbook answers it. */
export function alertWaits(alert: unknown): boolean {
  const { analyzed, action_taken: action } = fields(alert)
  return analyzed === false && action === 'auto_analyze'
}
