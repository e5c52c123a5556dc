import { Alert, Anchor, Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { fromField, toField } from '../../logic/findingFilters'
import { Dialog } from './Dialog'

interface AcceptDialogProps {
  finding: Schema<'AnyFindingOut'>
  onClose: () => void
}

const DAY_MS = 86_400_000
const USUAL_DAYS = 30
const MOST_DAYS = 366

const inDays = (days: number) => toField(new Date(Date.now() + days * DAY_MS).toISOString())

/** Asks that a finding may stand for a while; it does once somebody else approved it. */
export function AcceptDialog({ finding, onClose }: AcceptDialogProps) {
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState(() => inDays(USUAL_DAYS))
  const queries = useQueryClient()
  const accept = useMutation({
    mutationFn: (moment: string) => api.POST('/api/v1/findings/{id}/accept', {
      params: { path: { id: finding.id } }, body: { reason: reason.trim(), expires_at: moment },
    }),
    onSuccess: () => queries.invalidateQueries({
      predicate: ({ queryKey: [path] }) => path === '/api/v1/exceptions' || path === '/api/v1/approvals',
    }),
  })
  const moment = fromField(until)
  const problem = accept.error ? asProblem(accept.error) : undefined
  const asked = accept.data?.data
  if (asked) return <Asked asked={asked} onClose={onClose} />
  return (
    <Dialog
      title="Accept for a while" opened onClose={onClose} confirm="Ask for it"
      ready={reason.trim() !== '' && moment !== undefined} busy={accept.isPending} error={accept.error}
      fields={['/reason', '/expires_at']} onConfirm={() => moment && accept.mutate(moment)}
    >
      <Text size="sm">
        An exception is asked for. It is pending until somebody else approves it; then the finding counts as accepted.
        It ends by itself, and the finding is open again then. Nothing is changed on any system.
      </Text>
      <Textarea
        label="Why" required autosize minRows={3} maxLength={2000} data-autofocus value={reason}
        onChange={(event) => setReason(event.currentTarget.value)} error={problem?.field('/reason')}
      />
      <TextInput
        type="datetime-local" label="Until" description="A year from now at most, in your time zone." required
        value={until} min={inDays(0)} max={inDays(MOST_DAYS)}
        onChange={(event) => setUntil(event.currentTarget.value)} error={problem?.field('/expires_at')}
      />
    </Dialog>
  )
}

function Asked({ asked, onClose }: { asked: Schema<'ExceptionAskedOut'>; onClose: () => void }) {
  const refused = asked.verdict === 'deny'
  return (
    <Modal opened onClose={onClose} title={refused ? 'The policy refused it' : 'It is asked for'}>
      <Stack gap="sm">
        <Alert color={refused ? 'red' : 'teal'} variant="light" role="status">
          {refused
            ? 'No exception of this kind is given; the finding stays as it is.'
            : 'Somebody else has to approve it. The finding stays as it is until then.'}
        </Alert>
        {asked.approval_id && (
          <Anchor component={Link} to={`/approvals/${asked.approval_id}`}>The approval it waits for</Anchor>
        )}
        <Group justify="flex-end"><Button onClick={onClose}>Close</Button></Group>
      </Stack>
    </Modal>
  )
}
