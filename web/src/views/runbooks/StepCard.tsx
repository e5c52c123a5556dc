import { Badge, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { semanticsMean } from '../../logic/runbook'
import { Outside } from '../../parts/Outside'
import classes from './runbooks.module.css'

interface StepCardProps {
  order: number
  name: string
  description: string
  stage: string
  action: string
  semantics: string
  children: ReactNode
}

const COLOURS = { verifies: 'green', looks: 'blue', acts: 'orange' }

/** One step: what it is for and what kind of thing it does; below that, what the caller knows of it. */
export function StepCard({ order, name, description, stage, action, semantics, children }: StepCardProps) {
  const kind = stage === 'verify' ? 'verifies' : semantics === 'read' ? 'looks' : 'acts'
  return (
    <li className={classes.step}>
      <div className={classes.stepHead}>
        <Title order={3} fz="sm"><span className={classes.number}>{order}.</span> <Outside>{name}</Outside></Title>
        <Badge size="sm" variant="dot" color={COLOURS[kind]} c="var(--mantine-color-text)">{kind}</Badge>
        <Text span size="xs" className="mono">{action}</Text>
        <Text span size="xs" className="faint">{semanticsMean(semantics)}</Text>
      </div>
      {description && <Text size="sm" mt={2}><Outside>{description}</Outside></Text>}
      {children}
    </li>
  )
}
