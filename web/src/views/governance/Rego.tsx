import { Outside } from '../../parts/Outside'
import classes from './Rego.module.css'

/** A file of a policy bundle, read only, with the numbers of its lines. */
export function Rego({ text, label }: { text: string; label: string }) {
  const lines = text.replace(/\n$/, '').split('\n')
  return (
    <pre className={classes.frame} tabIndex={0} aria-label={`${label}, ${lines.length} lines`} role="region">
      {lines.map((line, at) => (
        <code key={at} className={`${classes.line} ${line.trimStart().startsWith('#') ? classes.comment : ''}`}>
          {line !== '' && <Outside>{line}</Outside>}
        </code>
      ))}
    </pre>
  )
}
