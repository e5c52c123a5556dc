import type { CSSProperties } from 'react'
import { Hint } from './Hint'
import classes from './Marks.module.css'

const SEVERITY: Record<string, string> = { low: 'blue', medium: 'yellow', high: 'orange', critical: 'red' }
/** Ground and ink, 4.5 to 1 apart or more. */
const TIER: Record<string, [string, string]> = {
  read: ['#4a5560', '#fff'], low: ['#1864ab', '#fff'], medium: ['#ffd43b', '#2b2100'], high: ['#b83a08', '#fff'], critical: ['#b42318', '#fff'],
}
const STATE: Record<string, string> = {
  open: 'red', in_progress: 'blue', ready: 'gray', escalated: 'orange', suppressed: 'gray', accepted: 'gray', fixed: 'green', resolved: 'green',
  firing: 'red', pending: 'yellow', waiting: 'yellow', awaiting_approval: 'yellow', approved: 'green', denied: 'red',
  expired: 'gray', void: 'gray', running: 'blue', executing: 'blue', verifying: 'blue', queued: 'gray', succeeded: 'green',
  completed: 'green', failed: 'red', rolled_back: 'orange', rolling_back: 'orange', rollback_failed: 'red',
  needs_human: 'red', cancelled: 'gray', skipped: 'gray', undone: 'orange', active: 'green', draft: 'gray',
  archived: 'gray', deprecated: 'gray', closed: 'green', half_open: 'yellow', allow: 'green', require_approval: 'yellow',
  deny: 'red', approve: 'green', escalate: 'yellow',
}

const pretty = (word: string) => word.replaceAll('_', ' ')

/** The colour of a mark, for its style sheet. */
const tone = (colour: string) => ({ '--tone': `var(--mantine-color-${colour}-filled)` }) as CSSProperties

/** How bad something is: a word and a colour, never the colour alone. */
export function Severity({ of, score }: { of: string; score?: number | null }) {
  const mark = <span className={`${classes.mark} ${classes.tinted}`} style={tone(SEVERITY[of] ?? 'gray')}>{pretty(of)}</span>
  return typeof score === 'number' ? <Hint label={`Score ${score.toFixed(2)} of 1`}>{mark}</Hint> : mark
}

/** The tier of a risk. */
export function Tier({ of }: { of: string }) {
  const [ground, ink] = TIER[of] ?? ['#4a5560', '#fff']
  return <span className={classes.mark} style={{ background: ground, color: ink }}>{pretty(of)}</span>
}

/** Where something stands. */
export function Status({ of }: { of: string }) {
  return <span className={`${classes.mark} ${classes.dotted}`} style={tone(STATE[of] ?? 'gray')}>{pretty(of)}</span>
}
