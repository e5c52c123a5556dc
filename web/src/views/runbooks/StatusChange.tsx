import { Button, Group, Menu, Modal, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { faultProblem } from '../../logic/lintPlace'
import { statusMeans, type RunbookDocument } from '../../logic/runbook'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { Problems } from './Problems'

const STATUSES = ['draft', 'active', 'disabled']

interface StatusChangeProps {
  id: string
  document: RunbookDocument
  may: boolean
  /** Goes to the place in the document of what stands in the way. */
  onGo: (line: number, column: number) => void
  text: string
}

/** Changes whether alerts, or anybody, may run it: asks once more, and says what follows. */
export function StatusChange({ id, document, may, onGo, text }: StatusChangeProps) {
  const [wanted, want] = useState<string>()
  if (!may) {
    const why = 'Changing the status needs the role operator or admin.'
    return <MayButton why={why} onClick={() => undefined} size="sm">Change status</MayButton>
  }
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={14} />}>Change status</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {STATUSES.filter((status) => status !== document.status).map((status) => (
            <Menu.Item key={status} onClick={() => want(status)}>
              <Text size="sm" fw={600}>Make it {status}</Text>
              <Text size="xs" className="faint">{statusMeans(status)}</Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={wanted !== undefined} onClose={() => want(undefined)} title={`Make it ${wanted ?? ''}?`}>
        {wanted !== undefined && (
          <Question
            id={id} document={document} wanted={wanted} text={text} onClose={() => want(undefined)}
            onGo={(line, column) => {
              want(undefined)
              onGo(line, column)
            }}
          />
        )}
      </Modal>
    </>
  )
}

type QuestionProps = Omit<StatusChangeProps, 'may'> & { wanted: string; onClose: () => void }

function Question({ id, document, wanted, text, onGo, onClose }: QuestionProps) {
  const touch = useTouch()
  const setting = useMutation({
    mutationFn: () => api.PUT('/api/v1/runbooks/{id}/status', { params: { path: { id } }, body: { status: wanted } }),
    onSuccess: () => touch('runbooks').then(onClose),
  })
  const problem = setting.error ? asProblem(setting.error) : undefined
  // The server judged the document as it would write it: its lines are not those of the text here.
  const faults = (problem?.errors ?? []).map((fault) => faultProblem(fault, false))
  return (
    <Stack gap="sm">
      <Text size="sm"><Outside>{document.name}</Outside> is {document.status} now.</Text>
      <Consequence document={document} wanted={wanted} />
      {problem && faults.length === 0 && <Failed problem={problem} />}
      {problem && faults.length > 0 && (
        <div role="alert">
          <Text size="sm" fw={600} mb={4}>{problem.title}: {problem.detail}</Text>
          <Problems problems={faults} text={text} onGo={onGo} />
        </div>
      )}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button
          onClick={() => setting.mutate()} loading={setting.isPending} color={wanted === 'disabled' ? 'red' : undefined}
        >
          Make it {wanted}
        </Button>
      </Group>
    </Stack>
  )
}

/** What follows from a status, exactly. */
function Consequence({ document, wanted }: { document: RunbookDocument; wanted: string }) {
  const on = document.triggers.filter((trigger) => trigger.enabled)
  if (wanted === 'active') {
    if (document.mode === 'manual' || on.length === 0) {
      return (
        <Text size="sm">
          No alert will ask for it all the same:
          {document.mode === 'manual' ? ' its mode is manual' : ' it has no trigger that is on'}.
        </Text>
      )
    }
    return (
      <Text size="sm" component="div">
        From then on every alert that matches
        {on.length === 1 ? ' its trigger' : ` one of its ${count(on.length, 'trigger')}`} asks
        for it: <Outside>{on.map((trigger) => trigger.name).join(', ')}</Outside>. Each asking is judged by the gate;
        {document.mode === 'semi_auto' || document.approval
          ? ' somebody always approves.'
          : ' what it allows starts by itself.'}
      </Text>
    )
  }
  return (
    <Text size="sm">
      {statusMeans(wanted)} What runs already goes
      on{wanted === 'disabled' ? '; what waits for approval cannot begin' : ''}.
    </Text>
  )
}
