import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { IconShieldExclamation } from '@tabler/icons-react'
import { useState } from 'react'
import type { Schema } from '../../../api/client'
import { countMarks, diffJson, isShort, prettyLines, type JsonLine } from '../../../logic/jsonDiff'
import { count } from '../../../logic/words'
import { Outside } from '../../../parts/Outside'
import { Section } from '../../../parts/Section'
import classes from './drift.module.css'
import { JsonDiff } from './JsonDiff'

type Change = Schema<'ChangeOut'>

/** Properties shown before somebody asks for the rest. */
const FIRST = 40

const TYPES: Record<string, string> = {
  modified: 'Some of its properties differ from what is declared.',
  deleted: 'It is declared, and it is gone.',
  added: 'It is there, and nothing declares it.',
  moved: 'It is elsewhere than declared.',
}

/** What differs, property by property: what is declared beside what is there. Security comes first. */
export function Differences({ drift }: { drift: Schema<'DriftDetailOut'> }) {
  const [all, showAll] = useState(false)
  const changes = [...drift.changes].sort(
    (one, other) => Number(other.is_security_critical) - Number(one.is_security_critical),
  )
  const critical = changes.filter((change) => change.is_security_critical).length
  const shown = all ? changes : changes.slice(0, FIRST)
  return (
    <Section
      title="What differs"
      aside={
        <Group gap="xs">
          <Badge variant="light" color="gray" autoContrast>{drift.drift_type}</Badge>
          {critical > 0 && <Critical>{count(critical, 'security property', 'security properties')}</Critical>}
        </Group>
      }
    >
      <Stack gap="md">
        <Text size="sm">{TYPES[drift.drift_type] ?? drift.drift_type}</Text>
        {shown.map((change) => <Property key={change.property_path} change={change} />)}
        {shown.length < changes.length && (
          <div>
            <Button variant="light" onClick={() => showAll(true)}>
              Show the other {changes.length - shown.length} properties
            </Button>
          </div>
        )}
        <Whole drift={drift} />
      </Stack>
    </Section>
  )
}

function Critical({ children }: { children: string }) {
  return (
    <Badge color="red" variant="light" autoContrast leftSection={<IconShieldExclamation size={14} aria-hidden />}>
      {children}
    </Badge>
  )
}

const CHANGES: Record<string, string> = {
  modified: 'another value', added: 'not declared', removed: 'declared, not there',
}

/** One property: short values as two cells, others line beside line. */
function Property({ change }: { change: Change }) {
  const lines = linesOf(change)
  return (
    <article className={classes.property} data-critical={change.is_security_critical || undefined}>
      <Group gap="sm" mb={6}>
        <Text component="h3" className="mono" fw={650}><Outside>{change.property_path}</Outside></Text>
        <Text size="sm" className="faint">{CHANGES[change.change_type] ?? change.change_type}</Text>
        {change.is_security_critical && <Critical>security</Critical>}
      </Group>
      <JsonDiff lines={lines} label={`${change.property_path}: declared and actual`} />
    </article>
  )
}

/** A side that is absent is empty; a side that is `null` says so. */
function linesOf(change: Change): JsonLine[] {
  const { declared_value: declared, actual_value: actual } = change
  if (change.change_type === 'added') return prettyLines(actual).map((right) => ({ mark: 'come', right }))
  if (change.change_type === 'removed') return prettyLines(declared).map((left) => ({ mark: 'gone', left }))
  if (isShort(declared) && isShort(actual)) {
    return [{ mark: 'changed', left: prettyLines(declared)[0], right: prettyLines(actual)[0] }]
  }
  return diffJson(declared, actual)
}

/** The whole resource on both sides, on demand. */
function Whole({ drift }: { drift: Schema<'DriftDetailOut'> }) {
  const [opened, open] = useState(false)
  const { declared_state: declared, actual_state: actual } = drift
  if (!declared && !actual) return null
  if (!opened) {
    return <div><Button variant="default" onClick={() => open(true)}>Show the whole resource, both sides</Button></div>
  }
  const lines = both(declared, actual)
  const { changed, gone, come } = countMarks(lines)
  return (
    <article>
      <Text component="h3" fw={650} mb={4}>The whole resource</Text>
      <Text size="sm" className="faint" mb={6}>
        {count(changed, 'line')} changed, {gone} declared and not there, {come} there and not declared. What the rules
        count as no difference is marked here as well.
      </Text>
      <JsonDiff lines={lines} label="The whole resource: declared and actual" fold />
    </article>
  )
}

function both(declared: unknown, actual: unknown): JsonLine[] {
  if (!declared) return prettyLines(actual).map((right) => ({ mark: 'come', right }))
  if (!actual) return prettyLines(declared).map((left) => ({ mark: 'gone', left }))
  return diffJson(declared, actual)
}
