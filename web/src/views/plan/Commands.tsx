import { Badge, Group, Stack, Table, Text, Title } from '@mantine/core'
import { useMemo } from 'react'
import { fields, items, text } from '../../logic/json'
import { aligned, marked, ofTheAlert, reached, type Reached, type Source, type Stretch } from '../../logic/fromOutside'
import {
  alike, changes, named, runsNowhere, type Alike, type Script as Rendered, type Step,
} from '../../logic/planDocument'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Caption } from '../risk/Caption'
import { Fold } from '../risk/Fold'
import classes from './Plan.module.css'
import { Script } from './Script'
import { useSources, type Everything } from './usePlan'

/** A step with its commands, laid beside the templates they were made of. */
interface Prepared {
  step: Step
  groups: (Omit<Alike, 'script' | 'undo'> & { script: Stretch[]; undo: Stretch[] | undefined })[]
}

/** Every command as it will run, its undo beside it, and what in it came from outside. */
export function Commands({ all }: { all: Everything }) {
  const { document, intent } = all
  const { source, steps, given, alert } = useSources(document, intent)
  const { prepared, precise } = useMemo(() => {
    const values: Reached[] = [
      ...Object.entries(given).map(([name, value]) => ({ value, from: [`${name}, given with the request`] })),
      ...(alert ? ofTheAlert(alert) : []),
    ]
    return prepare(document.steps, (step) => alike(step, document.targets), templates(steps), source, values)
  }, [document, source, steps, given, alert])
  if (runsNowhere(document)) return null
  const groups = prepared.flatMap((one) => one.groups)
  const found = reached(groups.flatMap(({ script, undo }) => (undo ? [script, undo] : [script])))
  const acts = prepared.filter((one) => one.step.stage !== 'verify')
  const checks = prepared.filter((one) => one.step.stage === 'verify')
  return (
    <>
      <Section title="Commands" aside={<Text size="sm" className="faint">{pace(all)}</Text>}>
        <Stack gap="md">
          <FromOutside found={found} precise={precise} />
          {acts.length === 0 && <Text size="sm" className="faint">The plan has no step that acts.</Text>}
          {acts.map((one) => <OneStep key={one.step.order} of={one} />)}
        </Stack>
      </Section>
      <Section title="Checks">
        <Stack gap="md">
          <Text size="sm" className="faint">
            These decide whether it worked; exit codes of the steps above alone do not.
          </Text>
          {checks.length === 0 && <Text size="sm" fw={600}>Nothing checks whether it worked.</Text>}
          {checks.map((one) => <OneStep key={one.step.order} of={one} />)}
        </Stack>
      </Section>
    </>
  )
}

function pace({ document: { targets, maxParallel, timeoutS } }: Everything): string {
  const at = targets.length > 1 && maxParallel ? `${Math.min(maxParallel, targets.length)} targets at a time` : ''
  return [at, timeoutS ? `at most ${timeoutS} s in all` : ''].filter((part) => part).join(', ')
}

/** The templates of a runbook's steps, by the step's name. */
function templates(document: unknown): Map<string, { command: string; undo: string | undefined }> {
  return new Map(items(fields(document).steps).map((step) => {
    const { name, command, rollback_command } = fields(step)
    return [text(name), { command: text(command), undo: text(rollback_command) || undefined }]
  }))
}

function prepare(
  steps: Step[],
  grouped: (step: Step) => Alike[],
  from: ReturnType<typeof templates>,
  source: Source | undefined,
  values: Reached[],
) {
  let precise = true
  const read = (script: Rendered, template: string | undefined): Stretch[] => {
    const found = source && template !== undefined ? aligned(script, template, source) : undefined
    if (!found) precise = false
    return found ?? marked(script, values)
  }
  const prepared = steps.map((step): Prepared => {
    const template = from.get(step.name)
    return {
      step,
      groups: grouped(step).map(({ targets, script, undo }) => ({
        targets, script: read(script, template?.command), undo: undo && read(undo, template?.undo),
      })),
    }
  })
  return { prepared, precise }
}

/** What reached the commands from outside, in words: the marks say the same in place. */
function FromOutside({ found, precise }: { found: Reached[]; precise: boolean }) {
  return (
    <div>
      {found.length === 0 ? (
        <Text size="sm" className="faint">
          {precise ? 'No text from outside reached a command.' : 'No text from outside was found in a command.'}
        </Text>
      ) : (
        <Table captionSide="top" verticalSpacing={3} layout="fixed">
          <Caption>
            <mark className={classes.outside}>Marked</mark> text came from outside. Each is one quoted word to the
            shell, never a command.
          </Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Text</Table.Th>
              <Table.Th scope="col">From</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.map(({ value, from }) => (
              <Table.Tr key={value}>
                <Table.Td><Outside mono>{value || 'an empty text'}</Outside></Table.Td>
                <Table.Td><Outside>{from.join(', ')}</Outside></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {!precise && (
        <Text size="xs" className="faint">
          Found by comparing whole words with what the request and the alert say: the runbook is not to be had as it
          was.
        </Text>
      )}
    </div>
  )
}

const SEMANTICS: Record<string, string> = {
  read: 'only reads',
  idempotent: 'may run twice',
  at_most_once: 'runs once at most',
}

function OneStep({ of: { step, groups } }: { of: Prepared }) {
  const changing = changes(step)
  return (
    <div className={classes.step}>
      <Group gap="xs" mb={4}>
        <Title order={3} size="sm">{step.order}. <Outside>{step.name}</Outside></Title>
        <Badge size="sm" variant="light" color={changing ? 'orange' : 'gray'} c="var(--mantine-color-text)">
          {SEMANTICS[step.semantics] ?? step.semantics}
        </Badge>
        <span className="mono faint">{step.action}</span>
      </Group>
      {step.description && <Text size="sm" mb={4}><Outside>{step.description}</Outside></Text>}
      {groups.map((group, index) =>
        index === 0
          ? <OnTargets key={index} of={group} step={step} alone={groups.length === 1} />
          : (
            <Fold key={index} title={<>On {named(group.targets.map((place) => place.name))}</>}>
              <OnTargets of={group} step={step} alone={false} />
            </Fold>
          ))}
      {groups.length === 0 && <Text size="sm" className="faint">It runs on none of the targets.</Text>}
      <Text size="xs" className="faint" mt={4} component="div"><Outside>{details(step)}</Outside></Text>
    </div>
  )
}

function OnTargets({ of, step, alone }: { of: Prepared['groups'][number]; step: Step; alone: boolean }) {
  const all = alone && of.targets.length > 1
  const where = all ? `all ${of.targets.length} targets` : named(of.targets.map((place) => place.name))
  const undo = of.undo ?? []
  const shown = changes(step)
  return (
    <div className={classes.pair} data-two={shown || undefined}>
      <div>
        <p className={classes.name}>On <Outside>{where}</Outside></p>
        <Script of={of.script} label={`Command of ${step.name} on ${where}`} />
      </div>
      {shown && (
        <div>
          <p className={classes.name}>Undo</p>
          {of.undo
            ? <Script of={undo} label={`Undo of ${step.name} on ${where}`} />
            : <Text size="sm" fw={600}>It cannot be undone.</Text>}
        </div>
      )}
    </div>
  )
}

/** The small print of a step. */
function details(step: Step): string {
  const codes = step.exitCodes.filter((code) => code !== 0)
  const evidence = step.evidence.map((one) => `${one.type} ${one.query}`).join('; ')
  return [
    step.condition ? `only if ${step.condition}` : '',
    codes.length > 0 ? `exit codes ${step.exitCodes.join(', ')} are fine` : '',
    `at most ${step.timeoutS} s`,
    step.retries > 0 ? `tried ${count(step.retries, 'more time')}, ${step.retryDelayS} s apart` : '',
    step.continueOnFailure ? 'goes on if it fails' : '',
    step.sensitive ? 'its output is masked' : '',
    evidence === '' ? '' : `must leave as evidence: ${evidence}`,
  ].filter((part) => part).join(' · ')
}
