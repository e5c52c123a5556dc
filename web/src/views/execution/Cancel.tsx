import { List, Text } from '@mantine/core'
import { api, type Schema } from '../../api/client'
import { useMay } from '../../app/session'
import type { PlanDocument } from '../../logic/planDocument'
import { back, stopping } from '../../logic/stopping'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

type Run = Schema<'StepRunOut'>

const FEW = 12

/** Stops an execution; says before at what point it stops and what is undone. */
export function Cancel({ execution, plan }: { execution: Schema<'ExecutionDetail'>; plan: PlanDocument | undefined }) {
  const may = useMay('executions.run')
  const touch = useTouch()
  const stop = stopping(execution)
  const way = plan && stop.undoes ? back(execution.steps, plan.steps) : undefined
  return (
    <Sure
      label={stop.undoes ? 'Stop and undo' : 'Call it off'} title="Stop this execution?" color="red"
      why={may ? stop.why : 'Stopping needs the role operator or admin.'}
      button={{ size: 'sm', color: 'red', variant: 'light' }}
      act={() => api.POST('/api/v1/executions/{id}/cancel', { params: { path: { id: execution.id } } })}
      onDone={() => void touch('executions', 'approvals', 'intents', 'dashboard')}
    >
      <Text size="sm">{stop.point}</Text>
      {stop.undoes && !way && <Text size="sm">What it did by then is undone, the last first.</Text>}
      {way && (
        <WayBack
          of={way.undone} title="Then this is undone, in this order:"
          none="By now nothing has run that could be undone."
        />
      )}
      {way && way.left.length > 0 && (
        <WayBack of={way.left} title="This cannot be undone and stays as it is:" none="" as="unordered" />
      )}
      {stop.undoes && (
        <Text size="sm" mt="xs">
          This is as of now: what begins before the request arrives is undone as well. An undo that fails ends the way
          back, and somebody must look.
        </Text>
      )}
    </Sure>
  )
}

interface WayBackProps {
  of: Run[]
  title: string
  none: string
  as?: 'ordered' | 'unordered'
}

function WayBack({ of, title, none, as = 'ordered' }: WayBackProps) {
  if (of.length === 0) return <Text size="sm">{none}</Text>
  return (
    <>
      <Text size="sm" mt="xs">{title}</Text>
      <List size="sm" type={as}>
        {of.slice(0, FEW).map((run) => (
          <List.Item key={run.id}><Outside>{run.name}</Outside> on <Outside>{run.target}</Outside></List.Item>
        ))}
      </List>
      {of.length > FEW && <Text size="sm">and {count(of.length - FEW, 'more', 'more')}</Text>}
    </>
  )
}
