import { Alert, List, Text, Textarea } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { get } from '../../../api/queries'
import { readSubject } from '../../../logic/driftFacts'
import { remedyName } from '../../../logic/remedySteps'
import { Outside } from '../../../parts/Outside'
import { AskedResult } from '../AskedResult'
import { Dialog } from '../Dialog'

type Means = 'auto_revert' | 'codify_iac'

interface RemedyDialogProps {
  kind: Means
  finding: Schema<'AnyFindingOut'>
  onClose: () => void
}

const CONFIRM: Record<Means, string> = {
  auto_revert: 'Revert: work out the change',
  codify_iac: 'Codify: work out the edit',
}

const STEPS: Record<Means, string[]> = {
  auto_revert: [
    'An execution that only reads works out what would have to change so that what is there is as declared again, ' +
      'and keeps it. Nothing is changed by it.',
    'The change then asks for its approval. Whoever approves sees exactly that change; you cannot approve it yourself.',
    'Once it is approved, exactly what was approved is carried out on the running system, and nothing else.',
    'A fresh scan looks whether the drift is gone. It alone closes this finding.',
  ],
  codify_iac: [
    'An execution that only reads works out the edit of the code that declares what is there now, and keeps it. ' +
      'Nothing is changed by it.',
    'The edit then asks for its approval. Whoever approves sees exactly that edit; you cannot approve it yourself.',
    'Once it is approved, it is proposed as a branch with a pull request. The running system is not touched.',
    'When it is merged and applied, a scan finds the drift gone. It alone closes this finding.',
  ],
}

/** Asks for drift to be put right, after saying exactly what will happen. */
export function RemedyDialog({ kind, finding, onClose }: RemedyDialogProps) {
  const [reason, setReason] = useState('')
  const queries = useQueryClient()
  const hindered = useHindrance(finding.id)
  const ask = useMutation({
    mutationFn: () => api.POST('/api/v1/remediations', {
      body: { kind, finding_ids: [finding.id], reason: reason.trim() },
    }),
    onSuccess: async ({ data }) => {
      await queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) =>
          typeof path === 'string' && /^\/api\/v1\/(remediations|executions|approvals)\b/.test(path),
      })
      // How it goes on stands in the page; only a refusal has to be read here.
      if (data && data.preparation.verdict !== 'deny') {
        notifications.show({
          title: 'The change is being worked out',
          message: 'Nothing is changed yet. How far it is stands under “Putting it right”.',
          closeButtonProps: { 'aria-label': 'Close' },
        })
        onClose()
      }
    },
  })
  const begun = ask.data?.data
  if (begun?.preparation.verdict === 'deny') {
    return <AskedResult asked={begun.preparation} title="The gate refused to look" onClose={onClose} />
  }
  return (
    <Dialog
      title={remedyName(kind)} opened onClose={onClose} confirm={CONFIRM[kind]} busy={ask.isPending}
      error={ask.error} fields={['/reason']} ready={hindered === undefined} onConfirm={() => ask.mutate()}
    >
      <Text size="sm">About <Outside>{finding.title}</Outside></Text>
      <Text size="sm" fw={600}>What will happen</Text>
      <List type="ordered" size="sm" spacing={4}>
        {STEPS[kind].map((step) => <List.Item key={step}>{step}</List.Item>)}
      </List>
      {hindered && <Alert color="yellow" variant="light" role="alert">{hindered}</Alert>}
      <Textarea
        label="Why" description="Whoever approves it reads this." autosize minRows={2} maxLength={1000} data-autofocus
        value={reason} onChange={(event) => setReason(event.currentTarget.value)}
        error={ask.error ? asProblem(ask.error).field('/reason') : undefined}
      />
    </Dialog>
  )
}

/** What is known to stand in the way before anybody asks; the server's answer counts. */
function useHindrance(finding: string): string | undefined {
  const detail = useQuery(get('/api/v1/findings/{id}/detail', { params: { path: { id: finding } } }))
  const drift = detail.data?.drift
  const id = drift?.iac_repository_id
  const source = useQuery({
    ...get('/api/v1/iac-repositories/{id}', { params: { path: { id: id ?? '' } } }), enabled: !!id,
  })
  if (!drift) return undefined
  if (drift.drift_type === 'added' || !readSubject(drift.metadata).address) {
    return 'Nothing declares this resource, so there is no code to bring it back to or to edit.'
  }
  if (source.data && (!source.data.resource_id || !source.data.directory)) {
    return 'Its source does not say on which host its tools run, or where its checkout lies there. ' +
      'Complete the source first.'
  }
  return undefined
}
