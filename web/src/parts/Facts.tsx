import { Fragment, type ReactNode } from 'react'
import classes from './Facts.module.css'

/** What is known of one thing, by name; what is nothing is left out. */
export function Facts({ facts }: { facts: ([string, ReactNode] | '' | null | undefined | false)[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map((fact) => fact && (
        <Fragment key={fact[0]}>
          <dt>{fact[0]}</dt>
          <dd>{fact[1]}</dd>
        </Fragment>
      ))}
    </dl>
  )
}
