import { Text } from '@mantine/core'
import type { Evaluation, PlanStep, Rendered } from '../../logic/evaluation'
import { Lines, Outside } from '../../parts/Outside'
import classes from './runbooks.module.css'
import { StepCard } from './StepCard'
import { Fact } from './Steps'
import { seconds } from './words'

/** Every command of a plan as it would run, host by host, with its undo and what it leaves behind. */
export function Commands({ evaluation }: { evaluation: Evaluation }) {
  const all = evaluation.targets.length
  return (
    <ol className={classes.steps}>
      {evaluation.steps.map((step) => (
        <StepCard key={step.order} {...step}>
          {step.commands.map((command, at) => (
            <Script key={at} what={`Command of step ${step.order}`} script={command} all={all} verb="Runs" />
          ))}
          {step.undo.map((command, at) => (
            <Script key={at} what={`Undo of step ${step.order}`} script={command} all={all} verb="Undone by" />
          ))}
          <PlanFacts step={step} />
        </StepCard>
      ))}
    </ol>
  )
}

function Script({ what, script, all, verb }: { what: string; script: Rendered; all: number; verb: string }) {
  const where = all > 1 && script.targets.length === all ? `all ${all} hosts` : script.targets.join(', ')
  return (
    <>
      <Text size="xs" className="faint" mt={6} mb={2}>{verb} on <Outside>{where}</Outside></Text>
      <Lines label={`${what} on ${where}`}>{script.text}</Lines>
    </>
  )
}

function PlanFacts({ step }: { step: PlanStep }) {
  const undoable = step.undo.length > 0 || step.stage === 'verify' || step.semantics === 'read'
  return (
    <dl className={classes.facts} style={{ marginTop: 8 }}>
      {!undoable && <Fact name="Undo">none: it cannot be taken back</Fact>}
      {step.condition && <Fact name="Runs only if"><Outside mono>{step.condition}</Outside></Fact>}
      <Fact name="Succeeded when">it exits with {step.exitCodes.join(' or ')} within {seconds(step.timeout)}</Fact>
      {step.evidence.map((evidence, at) => (
        <Fact key={at} name="Leaves as evidence">
          {evidence.type === 'log'
            ? `its output (${evidence.query})`
            : <>{evidence.type}: <Outside mono>{evidence.query}</Outside></>}
        </Fact>
      ))}
    </dl>
  )
}
