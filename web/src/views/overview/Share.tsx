import { percent } from '../../logic/chart'
import classes from './Overview.module.css'

interface ShareProps {
  label: string
  parts: { name: string; count: number; color: string }[]
}

/** A whole in parts: a bar, and every part with its number in words. */
export function Share({ label, parts }: ShareProps) {
  const all = parts.reduce((sum, part) => sum + part.count, 0)
  const some = parts.filter((part) => part.count > 0)
  return (
    <div>
      <div className={classes.bar} aria-hidden>
        {some.map((part) => <span key={part.name} style={{ flexGrow: part.count, background: part.color }} />)}
      </div>
      <ul className={classes.parts} aria-label={label}>
        {some.map((part) => (
          <li key={part.name}>
            <span className={classes.dot} style={{ background: part.color }} aria-hidden />
            <b>{part.count.toLocaleString('en')}</b> {part.name}{' '}
            <span className="faint">{percent(part.count / all)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
