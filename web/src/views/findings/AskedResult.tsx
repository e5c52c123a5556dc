import { Alert, Anchor, Button, Group, Modal, Stack } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { Status } from '../../parts/Marks'

const SAID: Record<string, string> = {
  allow: 'It may run, and starts by itself.',
  require_approval: 'It waits for its approval, and starts once it is approved.',
  deny: 'The gate refused it. The decision says why.',
}

interface AskedResultProps {
  asked: Schema<'AskedOut'>
  title?: string
  onClose: () => void
}

/** What came of asking, and where it goes on. */
export function AskedResult({ asked, title = 'It is asked for', onClose }: AskedResultProps) {
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack gap="sm">
        <Alert color={asked.verdict === 'deny' ? 'red' : 'teal'} variant="light" role="status">
          {SAID[asked.verdict] ?? asked.verdict}
          {asked.repeated && ' The same was asked for before: this is that request.'}
        </Alert>
        <Group gap="md" fz="sm">
          <Status of={asked.state} />
          <Anchor component={Link} to={`/executions/${asked.execution_id}`}>The execution</Anchor>
          {asked.approval_id && <Anchor component={Link} to={`/approvals/${asked.approval_id}`}>The approval</Anchor>}
          <Anchor component={Link} to={`/plans/${asked.plan_id}`}>The plan</Anchor>
          <Anchor component={Link} to={`/decisions/${asked.decision_id}`}>The decision</Anchor>
        </Group>
        <Group justify="flex-end"><Button onClick={onClose}>Close</Button></Group>
      </Stack>
    </Modal>
  )
}
