import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { asWebAddress } from '../../logic/loose'
import { Outside } from '../../parts/Outside'
import classes from './findings.module.css'

/** Names and what they say, in as many columns as there is room for. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={classes.facts}>{children}</dl>
}

/** One of them. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>
}

/** A share of one as a bar; whoever shows it writes the number beside it. */
export function Bar({ share, severity }: { share: number; severity?: string }) {
  const width = `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%`
  return <div className={classes.bar} data-severity={severity} aria-hidden><span style={{ width }} /></div>
}

/** Text from outside; where it is a web address and nothing else, it leads there. */
export function OutsideLink({ children }: { children: string }) {
  const address = asWebAddress(children)
  if (!address) return <Outside>{children}</Outside>
  return <Anchor href={address} target="_blank" rel="noreferrer noopener"><Outside>{children}</Outside></Anchor>
}

/** A share of one in percent, or a dash. */
export function percent(value: number | null | undefined): string {
  return typeof value === 'number' ? `${Math.round(value * 100)} %` : '–'
}
