/** Of a remediation what its steps follow from. */
export interface RemedyLike {
  kind: string
  state: string
  preparation_id?: string | null
  execution_id?: string | null
  check_id?: string | null
}

/** How far a step is. */
export type RemedyStand = 'done' | 'now' | 'later' | 'failed'

/** One of the three steps of a remediation. */
export interface RemedyStep {
  name: string
  stand: RemedyStand
  /** The execution that is this step, where there is one. */
  execution?: string
}

const SAID: Record<string, string> = {
  preparing: 'The change is being worked out. Nothing is changed yet.',
  asked: 'The change is worked out: it waits for its approval, or runs.',
  checking: 'The change is done. A scan looks whether the drift is gone.',
  published: 'The code is proposed. A scan closes the finding once it is merged and applied.',
  resolved: 'A scan found the drift gone.',
  failed: 'It came to nothing.',
}

/** What the state of a remediation means, in a sentence. */
export function remedySaid(state: string): string {
  return SAID[state] ?? state.replaceAll('_', ' ')
}

/** What a means of putting drift right is called. */
export function remedyName(kind: string): string {
  if (kind === 'auto_revert') return 'Revert to the code'
  return kind === 'codify_iac' ? 'Codify it' : kind.replaceAll('_', ' ')
}

// How many steps are behind a remediation in a state.
const BEHIND: Record<string, number> = { preparing: 0, asked: 1, checking: 2, published: 2, resolved: 3 }

/** The three steps of a remediation, and how far each is. */
export function remedySteps(remedy: RemedyLike): RemedyStep[] {
  const codify = remedy.kind === 'codify_iac'
  const steps = [
    { name: 'Work out the change', execution: remedy.preparation_id ?? undefined },
    { name: codify ? 'Propose the code' : 'Revert it', execution: remedy.execution_id ?? undefined },
    { name: codify ? 'Merged, applied, scanned' : 'Scan again', execution: remedy.check_id ?? undefined },
  ]
  if (remedy.state === 'failed') {
    // It failed in the last step that was begun.
    const begun = Math.max(0, steps.findLastIndex((step) => step.execution !== undefined))
    return steps.map((step, at) => ({ ...step, stand: at < begun ? 'done' : at === begun ? 'failed' : 'later' }))
  }
  const behind = BEHIND[remedy.state] ?? 0
  return steps.map((step, at) => ({ ...step, stand: at < behind ? 'done' : at === behind ? 'now' : 'later' }))
}
