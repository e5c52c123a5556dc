import { Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { Fact, Facts, OutsideLink } from './Bits'
import classes from './findings.module.css'
import { Triggers } from './Triggers'

/** What an alert adds to its finding: labels, annotations, what the rules said, and its triggers. */
export function AlertSections({ id }: { id: string }) {
  const alert = useQuery(get('/api/v1/alerts/{id}', { params: { path: { id } } }))
  return (
    <Loaded query={alert} rows={6}>{(found) => (
      <>
        <Section title="The alert">
          <Facts>
            <Fact name="Name"><Outside>{found.alert_name}</Outside></Fact>
            <Fact name="Instance"><Outside>{found.instance}</Outside></Fact>
            <Fact name="Job"><Outside>{found.job}</Outside></Fact>
            <Fact name="Source"><Outside>{found.source}</Outside></Fact>
            <Fact name="Its sender says"><Status of={found.source_status} /></Fact>
            <Fact name="Came here"><When at={found.received_at} /></Fact>
            <Fact name="Ended, by its sender"><When at={found.ends_at} none="not yet" /></Fact>
          </Facts>
        </Section>
        <Words title="Labels" words={found.labels} />
        <Words title="Annotations" words={found.annotations} />
        <Ruled alert={found} />
        <Triggers alert={found} />
      </>
    )}</Loaded>
  )
}

function Words({ title, words }: { title: string; words: Record<string, string> }) {
  const all = Object.entries(words).sort(([one], [other]) => one.localeCompare(other))
  return (
    <Section title={title}>
      {all.length === 0 ? <Text size="sm" className="faint">It has none.</Text> : (
        <div className={classes.wide}>
          <Table aria-label={title} verticalSpacing={4}>
            <Table.Thead><Table.Tr><Table.Th w="30%">Name</Table.Th><Table.Th>Value</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {all.map(([name, value]) => (
                <Table.Tr key={name}>
                  <Table.Td><Outside mono>{name}</Outside></Table.Td>
                  <Table.Td><OutsideLink>{value}</OutsideLink></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Section>
  )
}

const ACTIONS: Record<string, string> = {
  auto_analyze: 'Look for runbooks whose triggers match.',
  ignore: 'Keep it and bother nobody: no runbook was looked for.',
  manual: 'Keep it for a person: no runbook was looked for.',
}

/** What the alert rules said, and which of them. */
function Ruled({ alert }: { alert: Schema<'AlertOut'> }) {
  const id = alert.matched_rule_id
  const rule = useQuery({ ...get('/api/v1/alert-rules/{id}', { params: { path: { id: id ?? '' } } }), enabled: !!id })
  return (
    <Section title="What the rules said">
      <Text>{ACTIONS[alert.action_taken] ?? alert.action_taken}</Text>
      {!id && <Text size="sm" className="faint">No rule matched it; this is what is done then.</Text>}
      {id && rule.error && <Text size="sm" className="faint">The rule that said so is not there any more.</Text>}
      {rule.data && (
        <Text size="sm" className="faint" component="div">
          By the rule <Outside>{rule.data.name}</Outside>: alerts named{' '}
          <Outside mono>{rule.data.alert_name_pattern}</Outside>{' '}
          of severity <Outside mono>{rule.data.severity_pattern}</Outside>, priority {rule.data.priority}.
        </Text>
      )}
    </Section>
  )
}
