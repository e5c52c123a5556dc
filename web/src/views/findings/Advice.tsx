import { Anchor, Group, List, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { asList, asNumber, asRecord, asText, asTexts } from '../../logic/loose'
import { Severity, Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { ActionButton, type ActionName } from './Actions'
import { percent } from './Bits'
import classes from './findings.module.css'

type Recommendation = Schema<'RecommendationOut'>

/** What is recommended about a finding, and the button that does it. */
export function Advice({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const query = { finding_id: [finding.id], limit: 20 }
  const found = useQuery(get('/api/v1/recommendations', { params: { query } }))
  if (found.data?.items.length === 0) return null
  return (
    <Section title="What is recommended">
      <Loaded query={found} rows={3}>{(page) => (
        <ul className={classes.plain}>
          {page.items.map((one) => <One key={one.id} one={one} finding={finding} />)}
        </ul>
      )}</Loaded>
    </Section>
  )
}

const AUTHORS: Record<string, string> = {
  ml_model: 'a learned model', ai_agent: 'an AI agent', human: 'a person', rule: 'the stated rules',
}

function One({ one, finding }: { one: Recommendation; finding: Schema<'AnyFindingOut'> }) {
  const action = actionOf(one, finding)
  return (
    <li className={classes.item}>
      <Stack gap="xs">
        <Group gap="sm">
          <Text fw={600}><Outside>{one.title}</Outside></Text>
          <Status of={one.status} />
        </Group>
        <Group gap="md" fz="sm" c="var(--faint)">
          {one.priority && <Group gap={6}><span>how soon</span><Severity of={one.priority} /></Group>}
          <span>{percent(one.confidence)} sure</span>
          {one.estimated_effort && <span>takes <Outside>{one.estimated_effort}</Outside></span>}
          <span>says {AUTHORS[one.recommended_by] ?? <Outside>{one.recommended_by}</Outside>}</span>
          {one.expires_at && <span>holds until <When at={one.expires_at} /></span>}
          {one.savings && <span>saves <Outside>{`${one.savings} ${one.savings_currency ?? ''}`}</Outside> a month</span>}
        </Group>
        {one.rationale && <Text size="sm"><Outside>{one.rationale}</Outside></Text>}
        {one.description && <Text size="sm"><Outside>{one.description}</Outside></Text>}
        <Steps steps={one.implementation_steps} />
        <Risk risk={one.risk_assessment} />
        <Group gap="sm">
          {action && one.status === 'open' && <ActionButton name={action} finding={finding} />}
          {one.implemented_at && <Text size="sm">carried out <When at={one.implemented_at} /></Text>}
          {one.intent_id && <IntentLinks id={one.intent_id} />}
        </Group>
      </Stack>
    </li>
  )
}

/** What a button can do about a recommendation; nothing where a person has to look. */
function actionOf(one: Recommendation, finding: Schema<'AnyFindingOut'>): ActionName | undefined {
  switch (one.recommendation_type) {
    case 'auto_revert':
      return finding.kind === 'drift' ? 'revert' : undefined
    case 'codify_iac':
      return finding.kind === 'drift' ? 'codify' : undefined
    case 'escalate_review':
      return 'escalate'
    case 'accept_exception':
      return 'accept'
    case 'manual_review':
      return undefined
    default:
      return one.kind === 'operations' && finding.kind !== 'drift' ? 'run' : undefined
  }
}

function Steps({ steps }: { steps: Recommendation['implementation_steps'] }) {
  const said = asList(steps).map((step) => {
    if (typeof step === 'string') return step
    const { description, action, command } = asRecord(step)
    return asText(description) ?? asText(action) ?? asText(command) ?? JSON.stringify(step) ?? ''
  })
  if (said.length === 0) return null
  return (
    <List type="ordered" size="sm" aria-label="How, step by step">
      {said.map((text, at) => <List.Item key={at}><Outside>{text}</Outside></List.Item>)}
    </List>
  )
}

function Risk({ risk }: { risk: Recommendation['risk_assessment'] }) {
  const said = asRecord(risk)
  const impacts = asTexts(said.potential_impacts)
  const chance = asNumber(said.success_probability)
  const outcomes = asRecord(said.outcomes)
  const [good, bad] = [asNumber(outcomes.succeeded), asNumber(outcomes.failed)]
  if (impacts.length === 0 && chance === undefined) return null
  return (
    <Text size="sm" component="div">
      {impacts.length > 0 && <>What may come of it: <Outside>{impacts.join('; ')}</Outside>. </>}
      {chance !== undefined && (
        <>
          It helps with {percent(chance)}
          {good !== undefined && bad !== undefined && `, by ${good} times that it did and ${bad} that it did not`}.
        </>
      )}
    </Text>
  )
}

/** Where what was recommended is carried out. */
function IntentLinks({ id }: { id: string }) {
  const query = { intent_id: [id], limit: 1 }
  const found = useQuery(get('/api/v1/executions', { params: { query } }))
  const execution = found.data?.items[0]
  if (!execution) return null
  return (
    <Group gap="xs" fz="sm">
      <Anchor size="sm" component={Link} to={`/executions/${execution.id}`}>Its execution</Anchor>
      <Status of={execution.state} />
    </Group>
  )
}
