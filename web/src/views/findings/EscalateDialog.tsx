import { Text, Textarea } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { Dialog } from './Dialog'

interface EscalateDialogProps {
  finding: Schema<'AnyFindingOut'>
  onClose: () => void
}

/** Hands a finding to others: it is kept as escalated, and the reason stands there and in the log. */
export function EscalateDialog({ finding, onClose }: EscalateDialogProps) {
  const [reason, setReason] = useState('')
  const queries = useQueryClient()
  const escalate = useMutation({
    mutationFn: () => api.POST('/api/v1/findings/{id}/escalate', {
      params: { path: { id: finding.id } }, body: { reason: reason.trim() },
    }),
    onSuccess: async ({ data }) => {
      await queries.invalidateQueries({ queryKey: ['/api/v1/findings/{id}'] })
      const told = data?.delivery === 'not configured'
        ? 'Nobody was told: telling others is not configured. Tell them yourself.'
        : `Telling others: ${data?.delivery ?? 'unknown'}.`
      notifications.show({
        title: 'The finding is escalated', message: told, color: 'orange', autoClose: 10_000,
        closeButtonProps: { 'aria-label': 'Close' },
      })
      onClose()
    },
  })
  return (
    <Dialog
      title="Escalate" opened onClose={onClose} confirm="Escalate it" ready={reason.trim() !== ''}
      busy={escalate.isPending} error={escalate.error} fields={['/reason']} onConfirm={() => escalate.mutate()}
    >
      <Text size="sm">
        The finding is kept as escalated: others are to look at it. Your name and your reason stand at the finding and
        in the signed log. Nothing is changed on any system, and the finding stays until it is gone.
      </Text>
      <Textarea
        label="Why" required autosize minRows={3} maxLength={2000} data-autofocus value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={escalate.error ? asProblem(escalate.error).field('/reason') : undefined}
      />
    </Dialog>
  )
}
