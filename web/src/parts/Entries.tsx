import { Group } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import classes from './Entries.module.css'
import { Outside } from './Outside'

/** A short list of things to go to, each an `Entry`. */
export function Entries({ children }: { children: ReactNode }) {
  return <ul className={classes.entries}>{children}</ul>
}

/** One of them: its title leads there, what stands beside it says how it stands. */
export function Entry({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  return (
    <li className={classes.entry}>
      <Link to={to} className={classes.link}><Outside>{title}</Outside></Link>
      <Group gap="sm" c="var(--faint)" fz="sm">{children}</Group>
    </li>
  )
}
