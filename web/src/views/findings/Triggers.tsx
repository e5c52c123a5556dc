import { Accordion, Anchor, Badge, Group, List, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { IconCheck, IconX } from '@tabler/icons-react'
import type { Schema } from '../../api/client'
import {
  readAlertTriggers, whyNotMatched, type RunbookVerdict, type TriggerStarted, type TriggerVerdict,
} from '../../logic/alertTriggers'
import { count } from '../../logic/words'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { When } from '../../parts/When'
import classes from './findings.module.css'

/** Why each trigger of each runbook did or did not match, and what was asked for because of it. */
export function Triggers({ alert }: { alert: Schema<'AlertOut'> }) {
  const report = readAlertTriggers(alert.trigger_report)
  return (
    <Section
      title="Runbooks looked at"
      aside={alert.analyzed_at && <Text size="sm" className="faint">looked at <When at={alert.analyzed_at} /></Text>}
    >
      {report.resolved && <Text size="sm"><Outside>{report.resolved}</Outside></Text>}
      {!report.resolved && report.runbooks.length === 0 && <Text size="sm" className="faint">{nothing(alert)}</Text>}
      {report.runbooks.length > 0 && (
        <Accordion multiple variant="separated" order={3} defaultValue={matching(report.runbooks)}>
          {report.runbooks.map((runbook) => <Looked key={runbook.id || runbook.name} runbook={runbook} />)}
        </Accordion>
      )}
    </Section>
  )
}

function nothing(alert: Schema<'AlertOut'>): string {
  if (alert.analyzed) return 'No runbook has a trigger.'
  return alert.action_taken === 'auto_analyze'
    ? 'Nobody looked yet: it waits for its turn.'
    : 'The rules said that no runbook is to be looked for.'
}

const matching = (runbooks: RunbookVerdict[]) =>
  runbooks.filter((runbook) => runbook.matched).map((runbook) => runbook.id || runbook.name)

function Looked({ runbook }: { runbook: RunbookVerdict }) {
  return (
    <Accordion.Item value={runbook.id || runbook.name}>
      <Accordion.Control>
        <Group gap="sm">
          <Text fw={550}><Outside>{runbook.name}</Outside></Text>
          <Matched yes={runbook.matched} />
          <Text size="sm" className="faint">{count(runbook.triggers.length, 'trigger')}</Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap="sm">
          {runbook.id && <Anchor size="sm" component={Link} to={`/runbooks/${runbook.id}`}>Open the runbook</Anchor>}
          {runbook.started && <Started started={runbook.started} />}
          <ul className={classes.plain}>
            {runbook.triggers.map((trigger, at) => <Trigger key={trigger.id || at} trigger={trigger} />)}
          </ul>
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  )
}

function Matched({ yes }: { yes: boolean }) {
  return (
    <Badge
      variant="outline" color={yes ? 'green' : 'gray'} c="var(--mantine-color-text)" size="sm"
      leftSection={yes ? <IconCheck size={12} aria-hidden /> : <IconX size={12} aria-hidden />}
    >
      {yes ? 'matched' : 'did not match'}
    </Badge>
  )
}

function Trigger({ trigger }: { trigger: TriggerVerdict }) {
  const why = whyNotMatched(trigger)
  return (
    <li className={classes.item}>
      <Group gap="sm">
        <Text fw={550} size="sm"><Outside>{trigger.name}</Outside></Text>
        <Matched yes={trigger.matched} />
        {trigger.chosen && <Text size="sm">the runbook starts by this one</Text>}
        <Text size="sm" className="faint">priority {trigger.priority}</Text>
      </Group>
      {why && <Text size="sm">Because: <Outside>{why}</Outside></Text>}
      <List size="sm" mt={4} spacing={2} listStyleType="none" aria-label={`Criteria of ${trigger.name}`}>
        {trigger.verdicts.map((verdict, at) => (
          <List.Item
            key={at}
            icon={verdict.holds
              ? <IconCheck size={16} color="var(--mantine-color-green-text)" aria-label="holds" />
              : <IconX size={16} color="var(--mantine-color-red-text)" aria-label="does not hold" />}
          >
            {verdict.criterion.replaceAll('_', ' ')}: <Outside>{verdict.reason}</Outside>
          </List.Item>
        ))}
      </List>
    </li>
  )
}

function Started({ started }: { started: TriggerStarted }) {
  const { asked, cooldown, error } = started
  if (error) return <Text size="sm" c="red">It could not be asked for: <Outside>{error}</Outside></Text>
  if (cooldown) return <Text size="sm">Not asked for: <Outside>{cooldown}</Outside>, its cooldown is running.</Text>
  if (!asked) return null
  return (
    <Group gap="sm" fz="sm" className={classes.links}>
      <span>It was asked for; the gate said</span>
      {asked.verdict && <Status of={asked.verdict} />}
      {asked.plan && <Anchor size="sm" component={Link} to={`/plans/${asked.plan}`}>the plan</Anchor>}
      {asked.approval && <Anchor size="sm" component={Link} to={`/approvals/${asked.approval}`}>the approval</Anchor>}
      {asked.execution && (
        <Anchor size="sm" component={Link} to={`/executions/${asked.execution}`}>the execution</Anchor>
      )}
    </Group>
  )
}
