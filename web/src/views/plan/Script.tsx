import { Tooltip } from '@mantine/core'
import type { Stretch } from '../../logic/fromOutside'
import { Outside } from '../../parts/Outside'
import classes from './Plan.module.css'

/** A rendered script: what came from outside is marked, what is known only later is named. */
export function Script({ of, label }: { of: Stretch[]; label: string }) {
  return (
    <pre className={classes.command} aria-label={label} tabIndex={0} role="region">
      {of.map((stretch, index) => <Part key={index} of={stretch} />)}
    </pre>
  )
}

function Part({ of: { text, from, slot } }: { of: Stretch }) {
  if (from && from.length > 0) {
    const said = slot ? `known only while it runs: ${from.join(', ')}` : `from ${from.join(', ')}`
    return (
      <Tooltip label={said} multiline maw={320}>
        <mark className={classes.outside}><Outside>{text}</Outside></mark>
      </Tooltip>
    )
  }
  if (slot) {
    return (
      <Tooltip label="known only while it runs">
        <span className={classes.late}><Outside>{text}</Outside></span>
      </Tooltip>
    )
  }
  return <Outside>{text}</Outside>
}
