import { Group, Table, Text } from '@mantine/core'
import type { Schema } from '../../../api/client'
import { AXES, readAssessment, severityOf, type AxisReason, type AxisScore } from '../../../logic/driftFacts'
import { Severity } from '../../../parts/Marks'
import { Outside } from '../../../parts/Outside'
import { Section } from '../../../parts/Section'
import { Bar } from '../Bits'
import shared from '../findings.module.css'
import classes from './drift.module.css'

interface AxesProps {
  finding: Schema<'AnyFindingOut'>
  drift: Schema<'DriftDetailOut'>
}

/** How bad a drift is on its four axes, 0 to 1 each, and which rules said so. */
export function Axes({ finding, drift }: AxesProps) {
  const { axes, reasons } = readAssessment(drift.risk_assessment)
  const said = axes.some((axis) => axis.score !== undefined)
  return (
    <Section title="How bad it is" aside={<Severity of={finding.severity} score={finding.severity_score} />}>
      {!said && <Text size="sm" className="faint">Its reporter did not weigh it on the four axes.</Text>}
      {said && (
        <>
          <dl className={classes.axes} style={{ margin: 0 }}>
            {axes.map((axis) => <AxisRow key={axis.axis} axis={axis} />)}
          </dl>
          <Text size="xs" className="faint" mt="xs">
            The largest of the four is its score; each is the largest of the rules that fit. Below 0.30 is low, below
            0.60 medium, below 0.80 high.
          </Text>
        </>
      )}
      {reasons.length > 0 && <Reasons reasons={reasons} />}
    </Section>
  )
}

function AxisRow({ axis: { axis, score } }: { axis: AxisScore }) {
  const word = score === undefined ? undefined : severityOf(score)
  return (
    <>
      <dt>{axis}</dt>
      <dd style={{ margin: 0 }}><Bar share={score ?? 0} severity={word} /></dd>
      <dd style={{ margin: 0 }}>
        <Group gap="xs" wrap="nowrap">
          <span className={shared.number}>{score === undefined ? 'not said' : score.toFixed(2)}</span>
          {word && score !== undefined && score > 0 && <Severity of={word} />}
          {score === 0 && <span className="faint">nothing</span>}
        </Group>
      </dd>
    </>
  )
}

function Reasons({ reasons }: { reasons: AxisReason[] }) {
  return (
    <div className={shared.wide} role="region" aria-label="Rules that counted" tabIndex={0}>
      <Table aria-label="Rules that counted" verticalSpacing={4} miw={560} mt="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Why</Table.Th>
            <Table.Th>Property</Table.Th>
            {AXES.map((axis) => <Table.Th key={axis} ta="right">{axis}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {reasons.map((reason, at) => (
            <Table.Tr key={at}>
              <Table.Td><Outside>{reason.why}</Outside></Table.Td>
              <Table.Td>
                {reason.path ? <Outside mono>{reason.path}</Outside> : <span className="faint">the resource</span>}
              </Table.Td>
              {reason.scores.map(({ axis, score }) => (
                <Table.Td key={axis} className={shared.number}>{score === undefined ? '–' : score.toFixed(2)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
