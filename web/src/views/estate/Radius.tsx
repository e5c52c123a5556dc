import { Anchor, Button, Group, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { PlanReach } from '../../logic/estate'
import { bears, type Reached } from '../../logic/radius'
import { count } from '../../logic/words'
import { Severity } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import type { Worst } from '../../logic/worst'
import type { Environment, Resource } from './data'
import { nameOf } from './naming'
import classes from './Estate.module.css'

/** Lines shown before somebody asks for all. */
const FIRST = 100

interface RadiusProps {
  roots: string[]
  known: Map<string, Resource>
  reached: Reached[]
  environments: Map<string, Environment>
  worst: Map<string, Worst>
  /** Whether there is more than is known here. */
  cut: boolean
  plan: { id: string; summary: string; reach: PlanReach } | undefined
  onChoose: (id: string) => void
}

/** The blast radius in words: what was chosen or is changed, and what depends on it, the nearest first. */
export function Radius(props: RadiusProps) {
  const { roots, known, reached, environments, cut, plan } = props
  if (roots.length === 0 && !plan) {
    return (
      <Text size="sm" className="faint">
        Choose a resource in the graph: what depends on it is drawn in orange and told here, the nearest first.
      </Text>
    )
  }
  const classOf = (id: string) => environments.get(known.get(id)?.environment_id ?? '')?.class
  const where = [...new Set(reached.map((one) => classOf(one.id)))].filter(Boolean)
  const them = roots.length === 1 ? 'it' : 'them'
  const many = `${cut ? 'At least ' : ''}${count(reached.length, 'resource')}`
  return (
    <Stack gap="sm">
      {plan ? <OfPlan {...props} plan={plan} /> : <OfResource {...props} />}
      <div>
        <Title order={2} size="h3">What depends on {them}</Title>
        <Text size="sm" role="status">
          {reached.length === 0 && !cut ? 'Nothing, as far as the edges tell.' : (
            <>{many} {reached.length === 1 ? 'depends' : 'depend'} on {them}, directly or through others
              {where.length > 0 && <>, in {where.join(', ')}</>}.</>
          )}
        </Text>
      </div>
      <Lines {...props} />
    </Stack>
  )
}

function OfPlan({ plan, onChoose, known }: RadiusProps & { plan: NonNullable<RadiusProps['plan']> }) {
  const { scope, irreversible, targets, environments } = plan.reach
  return (
    <div>
      <Title order={2} size="h3">Blast radius of a plan</Title>
      <Anchor component={Link} to={`/plans/${plan.id}`} size="sm"><Outside>{plan.summary || plan.id}</Outside></Anchor>
      <Text size="sm" mt={4}>
        It changes {count(targets.length, 'resource')}{environments.length > 0 && ` in ${environments.join(', ')}`}
        {scope && `, which counts as ${scope}`}.
        {irreversible === true && <b> Some of it cannot be undone.</b>}
        {irreversible === false && ' All of it can be undone.'}
      </Text>
      <ul className={classes.felt}>
        {targets.map((target) => (
          <li key={target.id}>
            {known.has(target.id)
              ? <Choose id={target.id} name={target.name} onChoose={onChoose} />
              : <><Outside>{target.name}</Outside> <Text span size="xs" className="faint">not in this picture</Text></>}
          </li>
        ))}
      </ul>
    </div>
  )
}

function OfResource({ roots, known, environments, worst }: RadiusProps) {
  const id = roots[0] ?? ''
  const resource = known.get(id)
  const open = worst.get(id)
  return (
    <div>
      <Title order={2} size="h3"><Outside>{resource?.name ?? id}</Outside></Title>
      {resource && (
        <Text size="sm" className="faint">
          <Outside>{resource.kind}</Outside> in <Outside>{nameOf(environments, resource.environment_id)}</Outside>
          {resource.status === 'retired' && ', retired'}
        </Text>
      )}
      {open && (
        <Group gap={6} mt={4}>
          <Severity of={open.severity} />
          <Text size="sm">
            {open.count === undefined ? 'the worst that is open on it' : count(open.count, 'open finding')}
          </Text>
        </Group>
      )}
      <Anchor component={Link} to={`/estate/${id}`} size="sm">Its page</Anchor>
    </div>
  )
}

function Lines({ reached, known, onChoose }: RadiusProps) {
  const [all, setAll] = useState(false)
  const shown = all ? reached : reached.slice(0, FIRST)
  const name = (id: string) => known.get(id)?.name ?? id
  return (
    <>
      <ul className={classes.felt}>
        {shown.map((one) => (
          <li key={one.id}>
            <Choose id={one.id} name={name(one.id)} onChoose={onChoose} />
            <Text size="xs" className="faint" component="div">
              {one.steps === 1 ? 'directly' : `${one.steps} steps`}:{' '}
              {bears(one.relation)
                ? <><Outside>{name(one.through)}</Outside> <Outside>{one.relation}</Outside> it</>
                : <>it <Outside>{one.relation}</Outside> <Outside>{name(one.through)}</Outside></>}
            </Text>
          </li>
        ))}
      </ul>
      {shown.length < reached.length && (
        <Button size="xs" variant="default" onClick={() => setAll(true)}>
          Show all {reached.length.toLocaleString('en')}
        </Button>
      )}
    </>
  )
}

function Choose({ id, name, onChoose }: { id: string; name: string; onChoose: (id: string) => void }) {
  return (
    <Anchor component="button" type="button" size="sm" ta="left" mih={24} onClick={() => onChoose(id)}>
      <Outside>{name}</Outside>
    </Anchor>
  )
}
