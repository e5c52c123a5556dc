import { Alert, Group, Stack, Text } from '@mantine/core'
import { span } from '../../logic/apart'
import { alike, shown as scriptOf, type PlanDocument, type Step as Planned } from '../../logic/planDocument'
import { shown } from '../../logic/visible'
import { called, undoing, type WouldHappen as Would } from '../../logic/wouldHappen'
import { count } from '../../logic/words'
import { Status, Tier } from '../../parts/Marks'
import { Lines, Outside } from '../../parts/Outside'
import { When } from '../../parts/When'
import classes from './findings.module.css'

const SAID: Record<string, string> = {
  allow: 'The gate would let it run at once, without asking anybody.',
  require_approval: 'The gate would let it run once it is approved.',
  deny: 'The gate would refuse it.',
}

const COLORS: Record<string, string> = { allow: 'teal', require_approval: 'yellow', deny: 'red' }

/** What the gate would say to a request, and every command as it would run on each target. */
export function WouldHappen({ would, hash }: { would: Would; hash: string }) {
  // Guards that have nothing to say are said once.
  const reasons = would.reasons.filter((reason) => reason.judge !== 'guard')
  const { steps, targets } = would.plan
  const blocking = would.guards.filter((guard) => guard.verdict !== 'allow')
  return (
    <Stack gap="sm">
      <Alert color={COLORS[would.verdict] ?? 'gray'} variant="light" role="status">
        {SAID[would.verdict] ?? would.verdict}
        {would.approval && (
          <> It asks for {count(would.approval.votes, 'vote')} of {would.approval.roles.join(' or ')},
            within {span(would.approval.seconds)}.</>
        )}
      </Alert>
      <Group gap="md" fz="sm">
        {would.tier && <Group gap={6}><span>Risk</span><Tier of={would.tier} /></Group>}
        {would.score !== undefined && <span>score {would.score.toFixed(2)} of 1</span>}
        <span>on {count(targets.length, 'target')}: <Outside>{targets.map(called).join(', ')}</Outside></span>
      </Group>
      {reasons.length > 0 && (
        <div>
          <Text fw={600} size="sm">Why</Text>
          <ul className={classes.plain}>
            {reasons.map((reason, at) => (
              <li key={at} className={classes.reason}>
                <Group gap="xs" fz="sm">
                  <Status of={reason.verdict} />
                  <span>
                    <span className="faint">{reason.judge}:</span> <Outside>{reason.message || reason.code}</Outside>
                  </span>
                </Group>
              </li>
            ))}
          </ul>
        </div>
      )}
      {blocking.length === 0 && would.guards.length > 0 && <Text size="sm">No guard holds it.</Text>}
      {blocking.map((guard, at) => (
        <Text size="sm" key={at}>
          The guard {guard.guard.replaceAll('_', ' ')} holds it: <Outside>{guard.message}</Outside>
          {guard.until && <> until <When at={guard.until} /></>}
        </Text>
      ))}
      <div>
        <Text fw={600} size="sm">What would be done, step by step</Text>
        <ol className={classes.plain}>
          {steps.map((step) => <Step key={step.order} step={step} targets={targets} />)}
        </ol>
        <Text size="xs" className="faint">Plan <span className="mono">{hash}</span></Text>
      </div>
    </Stack>
  )
}

const SEMANTICS: Record<string, string> = {
  read: 'changes nothing', idempotent: 'may be repeated', at_most_once: 'runs once at most',
}

function Step({ step, targets }: { step: Planned; targets: PlanDocument['targets'] }) {
  const back = undoing(step)
  return (
    <li className={classes.item}>
      <Group gap="sm">
        <Text size="sm" fw={550}>{step.order}. <Outside>{step.name}</Outside></Text>
        <Text size="sm" className="faint">
          {step.stage === 'verify' ? 'a check, ' : ''}{SEMANTICS[step.semantics] ?? step.semantics}
          {back && `, ${back}`}
        </Text>
        <span className="mono faint">{step.action}</span>
      </Group>
      {step.description && <Text size="sm"><Outside>{step.description}</Outside></Text>}
      {alike(step, targets).map((one) => {
        const where = one.targets.map(called).join(', ')
        return (
          <div key={one.targets[0]?.id}>
            <Text size="xs" className="faint">on <Outside>{where}</Outside></Text>
            <Lines label={`Command of ${shown(step.name)} on ${shown(where)}`}>{scriptOf(one.script)}</Lines>
          </div>
        )
      })}
    </li>
  )
}
