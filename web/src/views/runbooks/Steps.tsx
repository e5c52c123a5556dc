import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { variablesIn, type RunbookDocument, type RunbookStep } from '../../logic/runbook'
import { count } from '../../logic/words'
import { Lines, Outside } from '../../parts/Outside'
import classes from './runbooks.module.css'
import { StepCard } from './StepCard'
import { seconds } from './words'

/** What a runbook does, step by step: commands, undo, checks, evidence. */
export function Steps({ document }: { document: RunbookDocument }) {
  const names = document.variables.map(([name]) => name)
  return (
    <ol className={classes.steps}>
      {document.steps.map((step, index) => (
        <StepCard key={index} order={index + 1} {...step}>
          <Text size="xs" className="faint" mt={6} mb={2}>Command</Text>
          <Lines label={`Command of step ${index + 1}`}>{step.command}</Lines>
          {step.undo && (
            <>
              <Text size="xs" className="faint" mt={6} mb={2}>Undone by</Text>
              <Lines label={`Undo of step ${index + 1}`}>{step.undo}</Lines>
            </>
          )}
          <StepFacts step={step} variables={variablesIn(`${step.command}\n${step.undo}`, names)} />
        </StepCard>
      ))}
    </ol>
  )
}

function StepFacts({ step, variables }: { step: RunbookStep; variables: string[] }) {
  const facts: [string, ReactNode][] = []
  if (!step.undo && step.stage === 'act' && step.semantics !== 'read') {
    facts.push(['Undo', 'none: it cannot be taken back'])
  }
  if (step.condition) facts.push(['Runs only if', <Outside mono>{step.condition}</Outside>])
  facts.push(['Succeeded when', `it exits with ${step.exitCodes.join(' or ')} within ${seconds(step.timeout)}`])
  if (step.goesOn) facts.push(['When it fails', 'the rest goes on'])
  if (step.retries > 0) {
    facts.push(['Tried again', `${count(step.retries, 'time')}, after ${seconds(step.retryDelay)} each`])
  }
  if (variables.length > 0) facts.push(['Reads', <Outside mono>{variables.join(', ')}</Outside>])
  for (const param of step.params) {
    facts.push([
      'Takes only',
      <>
        <Outside mono>{param.name}</Outside> that is <Outside mono>{param.pattern}</Outside>
        {param.multiline && ', of several lines'}{param.allowsLeadingDash && ', also with a leading dash'}
      </>,
    ])
  }
  for (const evidence of step.evidence) {
    facts.push(['Leaves as evidence', evidence.type === 'log'
      ? `its output (${evidence.query})`
      : <>{evidence.type}: <Outside mono>{evidence.query}</Outside></>])
  }
  if (step.sensitive) facts.push(['Output', 'masked wherever it is shown or kept'])
  else if (!step.captured) facts.push(['Output', 'not for later steps'])
  return (
    <dl className={classes.facts} style={{ marginTop: 8 }}>
      {facts.map(([name, value], at) => <Fact key={at} name={name}>{value}</Fact>)}
    </dl>
  )
}

/** A name and what it stands for, in a list of facts. */
export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>
}
