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

/** How far the hosts of a demo are there. */
export interface Standing {
  wanted: number
  /** Of which there is something. */
  begun: number
  /** Which can be reached and are known by their keys. */
  whole: number
}

/**
 * Whether there are hosts to go on with: some, and where somebody began to add a demo's, all of those. Whoever has
 * hosts of their own need not add the demo's.
 */
export function hostsThere(some: boolean, demo: Standing | null): boolean {
  return some && (demo === null || demo.begun === 0 || demo.whole === demo.wanted)
}
