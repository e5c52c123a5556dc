/** What of the first run is there already. */
export interface Progress {
  hosts: boolean
  source: boolean
  runbook: boolean
  colleague: boolean
  alert: boolean
  ran: boolean
}

/** The place of the first step that is not done; six when all are. */
export function firstOpen(progress: Progress): number {
  const { hosts, source, runbook, colleague, alert, ran } = progress
  const steps = [hosts, source, runbook, colleague, alert, ran]
  const open = steps.indexOf(false)
  return open < 0 ? steps.length : open
}
