import {
  IconAlertTriangle, IconArrowBackUp, IconBan, IconCheck, IconClock, IconLoader2, IconMinus, IconQuestionMark, IconX,
  type Icon,
} from '@tabler/icons-react'
import classes from './Steps.module.css'

const LOOKS: Record<string, [Icon, string | undefined]> = {
  pending: [IconMinus, classes.quiet],
  running: [IconLoader2, classes.busy],
  succeeded: [IconCheck, classes.good],
  failed: [IconX, classes.bad],
  skipped: [IconMinus, classes.quiet],
  timed_out: [IconClock, classes.bad],
  cancelled: [IconBan, classes.quiet],
  unknown: [IconQuestionMark, classes.bad],
  undone: [IconArrowBackUp, classes.odd],
  undo_failed: [IconAlertTriangle, classes.bad],
  fenced: [IconBan, classes.quiet],
}

/** The class of the colour a state has; it never stands without its word. */
export const stateColour = (state: string) => LOOKS[state]?.[1] ?? classes.quiet

/** Where a step on a target stands: a sign and a word. */
export function StepState({ of }: { of: string }) {
  const [Sign, colour] = LOOKS[of] ?? [IconMinus, classes.quiet]
  return (
    <>
      <Sign size={15} className={`${classes.icon} ${colour ?? ''}`} aria-hidden />
      <span>{of.replaceAll('_', ' ')}</span>
    </>
  )
}
