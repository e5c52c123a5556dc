import { Stack, Text, Title } from '@mantine/core'
import { modeMeans, statusMeans, variablesIn, type RunbookDocument } from '../../logic/runbook'
import { count } from '../../logic/words'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty } from '../../parts/State'
import classes from './runbooks.module.css'
import { Fact, Steps } from './Steps'
import { seconds, wants } from './words'

/** What a runbook does, for whoever has never seen it. */
export function About({ document }: { document: RunbookDocument }) {
  return (
    <Stack gap="md">
      <Section title="In short"><Short document={document} /></Section>
      {document.variables.length > 0 && <Section title="Variables"><Variables document={document} /></Section>}
      <Section title={`What it does: ${count(document.steps.length, 'step')}`}><Steps document={document} /></Section>
      <Section title="Which alerts ask for it"><Triggers document={document} /></Section>
    </Stack>
  )
}

function Short({ document }: { document: RunbookDocument }) {
  const acting = document.steps.filter((step) => step.stage === 'act' && step.semantics !== 'read')
  const undone = acting.filter((step) => step.undo !== '').length
  const checks = document.steps.filter((step) => step.stage === 'verify').length
  const { tags, groups, environments, names } = document.servers
  const where = [
    ...tags.map((tag) => `tagged ${tag}`), ...groups.map((group) => `in the group ${group}`),
    ...environments.map((environment) => `in the environment ${environment}`), ...names.map((name) => `named ${name}`),
  ]
  return (
    <dl className={classes.facts}>
      <Fact name="Status"><Status of={document.status} /> {statusMeans(document.status)}</Fact>
      <Fact name="Mode">{document.mode.replaceAll('_', ' ')}: {modeMeans(document.mode)}</Fact>
      <Fact name="Changes">
        {acting.length === 0
          ? 'nothing: every step only looks'
          : `${count(acting.length, 'acting step')}, ${undone} with an undo`}
      </Fact>
      <Fact name="Known to have worked">
        {checks === 0
          ? 'by nothing: no step verifies it, so it cannot become active'
          : `by ${count(checks, 'verifying step')}`}
      </Fact>
      <Fact name="Runs on">
        {document.os} hosts{where.length > 0 && <>: <Outside>{where.join(', ')}</Outside></>}
        {where.length === 0 && ' of any kind'}, {document.parallel} at a time; an alert names its host by the
        label <Outside mono>{document.targetLabel}</Outside>
      </Fact>
      <Fact name="Approval">
        {document.approval || document.mode === 'semi_auto' ? 'always, by ' : 'when the policy asks for it, by '}
        {document.approvers.length > 0 ? <Outside>{document.approvers.join(' or ')}</Outside> : 'nobody'}
      </Fact>
      <Fact name="May take">{seconds(document.timeout)} in all</Fact>
      <Fact name="How often">
        {document.rate
          ? `${count(document.rate.count, 'time')} in ${seconds(document.rate.window)} at most`
          : 'no limit of its own; those of the governance hold'}
      </Fact>
      {document.retries > 0 && (
        <Fact name="Tried again">
          steps that may run twice, {count(document.retries, 'time')}, after {seconds(document.retryDelay)} each
        </Fact>
      )}
    </dl>
  )
}

function Variables({ document }: { document: RunbookDocument }) {
  const users = (name: string) => document.steps
    .map((step, index) => (variablesIn(`${step.command}\n${step.undo}`, [name]).length > 0 ? index + 1 : 0))
    .filter((order) => order > 0)
  return (
    <PlainTable
      label="Variables"
      rows={document.variables}
      id={([name]) => name}
      columns={[
        { name: 'Name', cell: ([name]) => <Outside mono>{name}</Outside> },
        {
          name: 'Value unless another is given',
          cell: ([, value]) => value === '' ? <span className="faint">empty</span> : <Outside mono>{value}</Outside>,
        },
        {
          name: 'Steps that read it',
          cell: ([name]) => users(name).join(', ') || <span className="faint">none by name</span>,
        },
      ]}
    />
  )
}

function Triggers({ document }: { document: RunbookDocument }) {
  if (document.triggers.length === 0) {
    return (
      <Empty title="None does">It has no triggers: it runs when a person, a schedule or another system asks.</Empty>
    )
  }
  const asleep = document.status !== 'active' || document.mode === 'manual'
  return (
    <Stack gap="sm">
      {asleep && (
        <Text size="sm">
          None asks at present: {document.status !== 'active' ? `it is ${document.status}` : 'its mode is manual'}.
        </Text>
      )}
      {document.triggers.map((trigger, index) => (
        <div key={index}>
          <Title order={3} fz="sm">
            <Outside>{trigger.name}</Outside>{!trigger.enabled && ' (switched off)'}
          </Title>
          <dl className={classes.facts} style={{ marginTop: 4 }}>
            {wants(trigger).map(({ name, wanted }, at) => <Fact key={at} name={name}>{wanted}</Fact>)}
            {document.triggers.length > 1 && <Fact name="Priority">{trigger.priority}: the lowest number wins</Fact>}
          </dl>
        </div>
      ))}
    </Stack>
  )
}
