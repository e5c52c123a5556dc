import { Anchor, Badge, Group, Stack, Table, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { fields, number, text, texts } from '../../logic/json'
import { runsNowhere, wayBack, type PlanDocument, type Step } from '../../logic/planDocument'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Caption } from '../risk/Caption'
import { Facts } from '../risk/Facts'
import { Fold } from '../risk/Fold'
import scroll from '../risk/Risk.module.css'
import type { Everything } from './usePlan'

const SCOPES: Record<string, string> = {
  namespace: 'up to ten resources',
  cluster: 'up to fifty resources',
  account: 'more than fifty resources',
}

/** How far the plan reaches, and how it goes back. */
export function Reach({ all: { plan, document } }: { all: Everything }) {
  if (runsNowhere(document)) return null
  const blast = fields(plan.blast_radius)
  const targets = number(blast.targets) ?? document.targets.length
  const scope = text(blast.scope)
  return (
    <>
      <Section
        title="How far it reaches"
        aside={
          <Anchor component={Link} to="/estate" search={{ plan: plan.id } as never} size="sm">
            Show it in the estate
          </Anchor>
        }
      >
        <Stack gap="sm">
          <Facts
            of={[
              ['Targets', count(targets, 'resource')],
              ['Scope', scope && `${scope}: ${SCOPES[scope] ?? ''}`],
              ['Environments', texts(blast.environments).join(', ')],
              ['Irreversible', blast.irreversible === true ? <b>yes: a step changes what cannot come back</b> : 'no'],
            ]}
          />
          {document.targets.length > 0 && <Fold title="The way to each target"><Ways of={document} /></Fold>}
        </Stack>
      </Section>
      <Section title="If it goes wrong"><Back of={document} /></Section>
    </>
  )
}

function Ways({ of }: { of: PlanDocument }) {
  return (
    <div className={scroll.scroll} tabIndex={0} role="region" aria-label="Targets">
      <Table captionSide="top" verticalSpacing={3}>
        <Caption>
          Pinned by the plan: another host key or another version of the login voids the approval
        </Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Target</Table.Th>
            <Table.Th scope="col">Address</Table.Th>
            <Table.Th scope="col">Login</Table.Th>
            <Table.Th scope="col">Host keys</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {of.targets.map((place) => (
            <Table.Tr key={place.id}>
              <Table.Th scope="row" fw={400}>
                <Anchor component={Link} to={`/estate/${place.id}`} size="sm">
                  <Outside>{place.name}</Outside>
                </Anchor>{' '}
                <Badge size="xs" variant="light" color="gray" c="var(--mantine-color-text)">{place.environment}</Badge>
              </Table.Th>
              <Table.Td><Outside mono>{`${place.host}:${place.port}`}</Outside></Table.Td>
              <Table.Td>
                <Outside mono>{place.username}</Outside>
                {place.credentialVersion !== undefined && (
                  <Text span size="xs" className="faint"> version {place.credentialVersion}</Text>
                )}
              </Table.Td>
              <Table.Td>
                {place.hostKeys.length === 0
                  ? <b>none: it cannot be reached</b>
                  : place.hostKeys.map((key) => <div key={key} className="mono">{shortKey(key)}</div>)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

const shortKey = (key: string) => `${key.split(' ')[0] ?? ''} …${key.slice(-12)}`

function Back({ of }: { of: PlanDocument }) {
  const { undone, final } = wayBack(of)
  const list = (title: string, steps: Step[], heavy: boolean) => steps.length > 0 && (
    <Group gap="xs" align="flex-start">
      <Text size="sm" fw={heavy ? 650 : 400}>{title}:</Text>
      {steps.map((step) => (
        <Text key={step.order} size="sm" span><Outside>{`${step.order}. ${step.name}`}</Outside></Text>
      ))}
    </Group>
  )
  if (undone.length === 0 && final.length === 0) {
    return <Text size="sm">Nothing is changed, so nothing is to be undone.</Text>
  }
  return (
    <Stack gap="xs">
      <Text size="sm">
        When a step fails, or a check finds that it did not work, what was done on a target is undone there, the last
        step first. A step of which nobody can know what became waits for a person.
      </Text>
      {list('Can be undone', [...undone].reverse(), false)}
      {list('Cannot be undone', final, true)}
    </Stack>
  )
}
