import type { ReactNode } from 'react'
import classes from './Risk.module.css'

/** What is there for whoever wants it, closed unless told otherwise. */
export function Fold({ title, open, children }: { title: ReactNode; open?: boolean; children: ReactNode }) {
  return (
    <details className={classes.fold} open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  )
}
