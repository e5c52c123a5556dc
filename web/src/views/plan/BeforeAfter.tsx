import { Anchor, Badge, Stack, Table, Text } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { fields, text } from '../../logic/json'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Waiting } from '../../parts/State'
import { Caption } from '../risk/Caption'
import { Facts } from '../risk/Facts'
import { Fold } from '../risk/Fold'
import scroll from '../risk/Risk.module.css'
import classes from './Plan.module.css'
import type { Everything } from './usePlan'

/** What is there and what would be, where the plan puts drift right: properties, and what its preparation said. */
export function BeforeAfter({ all }: { all: Everything }) {
  const { remediation } = all
  // Preparing and looking again change nothing.
  if (!remediation || all.stage !== 'change') return null
  const own = all.execution?.id ?? ''
  return (
    <Section title="Before and after">
      <Stack gap="md">
        <Prepared of={remediation} />
        <Properties of={remediation} />
        {remediation.preparation_id && remediation.preparation_id !== own && (
          <Said execution={remediation.preparation_id} />
        )}
      </Stack>
    </Section>
  )
}

const NAMES: Record<string, string> = {
  SUMMARY: 'Summary',
  WAY_BACK: 'Way back',
  COMMIT: 'Commit',
  CHANGE_SET: 'Change set',
  SHA256: 'SHA-256 of the saved plan',
}

function Prepared({ of }: { of: Schema<'RemediedOut'> }) {
  const said = Object.entries(fields(of.prepared))
  const codify = of.kind === 'codify_iac'
  const means = codify ? 'The code is changed to what is there.' : 'What is there is brought back to the code.'
  return (
    <Stack gap="xs">
      <Text size="sm">{means}</Text>
      <Facts
        of={said.map(([name, value]) => [
          NAMES[name] ?? name,
          name === 'WAY_BACK' ? back(text(value)) : <Outside mono>{text(value)}</Outside>,
        ])}
      />
    </Stack>
  )
}

/** The exit code of keeping the way back. */
const back = (code: string) => (code === '0' ? 'kept' : 'none: the change is final')

/** Findings whose properties are shown. */
const MOST_FINDINGS = 20

function Properties({ of }: { of: Schema<'RemediedOut'> }) {
  const may = useMay('findings.read')
  const ids = of.finding_ids.slice(0, MOST_FINDINGS)
  const details = useQueries({
    queries: ids.map((id) => ({ ...get('/api/v1/findings/{id}/detail', { params: { path: { id } } }), enabled: may })),
  })
  const codify = of.kind === 'codify_iac'
  const rows = details.flatMap((detail, at) =>
    (detail.data?.drift?.changes ?? []).map((change) => ({ finding: ids[at] ?? '', change })))
  if (rows.length === 0) return null
  return (
    <div className={scroll.scroll} tabIndex={0} role="region" aria-label="Properties">
      <Table captionSide="top" verticalSpacing={4}>
        <Caption>
          {codify ? 'What the code says, and what it would say' : 'What is there, and what would be'}
          {of.finding_ids.length > ids.length && `, of the first ${ids.length} findings`}, as the latest scan saw it. What
          is approved is what the preparation printed.
        </Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Property</Table.Th>
            <Table.Th scope="col">Before</Table.Th>
            <Table.Th scope="col">After</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ finding, change }) => {
            const [before, after] = codify
              ? [change.declared_value, change.actual_value] : [change.actual_value, change.declared_value]
            return (
              <Table.Tr key={`${finding} ${change.property_path}`}>
                <Table.Th scope="row" fw={400}>
                  <Anchor component={Link} to={`/findings/${finding}`} size="sm">
                    <Outside mono>{change.property_path}</Outside>
                  </Anchor>
                  {change.is_security_critical && <Badge size="xs" color="red" ml={6} autoContrast>security</Badge>}
                </Table.Th>
                <Table.Td className={classes.gone}><Value of={before} /></Table.Td>
                <Table.Td className={classes.come}><Value of={after} /></Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Value({ of }: { of: unknown }) {
  if (of === undefined || of === null) return <span className="faint">not there</span>
  return <Outside mono>{typeof of === 'string' ? of : JSON.stringify(of)}</Outside>
}

/** What the preparation printed: a plan, a patch. */
function Said({ execution }: { execution: string }) {
  const prepared = useQuery(
    get('/api/v1/executions/{id}', { params: { path: { id: execution }, query: { preview: true } } }),
  )
  if (prepared.isPending) return <Waiting rows={3} />
  const told = (prepared.data?.steps ?? []).filter((step) => step.stdout?.trim())
  if (told.length === 0) return null
  return (
    <Stack gap="xs">
      <Text size="sm">
        What the <Anchor component={Link} to={`/executions/${execution}`} size="sm">preparation</Anchor> printed,{' '}
        {count(told.length, 'step')}
      </Text>
      {told.map((step, index) => (
        <Fold key={step.id} title={<Outside>{`${step.name} on ${step.target}`}</Outside>} open={index === 0}>
          <Patch label={`Output of ${step.name}`}>{step.stdout ?? ''}</Patch>
          {step.truncated && <Text size="xs" className="faint">The end is cut off.</Text>}
        </Fold>
      ))}
    </Stack>
  )
}

const SIGNS: Record<string, string | undefined> = { '+': classes.come, '-': classes.gone, '~': classes.outside }

/** A patch or a plan of a tool: lines that come, go and change are coloured; their signs stand before them. */
function Patch({ children, label }: { children: string; label: string }) {
  return (
    <pre className={classes.command} tabIndex={0} role="region" aria-label={label}>
      {children.replace(/\n$/, '').split('\n').map((line, index) => (
        <span key={index} className={SIGNS[line.trimStart().charAt(0)]} style={{ display: 'block' }}>
          {line === '' ? ' ' : <Outside>{line}</Outside>}
        </span>
      ))}
    </pre>
  )
}
