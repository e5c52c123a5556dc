import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { readWouldHappen } from '../../logic/wouldHappen'
import { Failed } from '../../parts/State'
import { Dialog } from './Dialog'
import { AskedResult } from './AskedResult'
import { RunbookChoice, type Wanted } from './RunbookChoice'
import { WouldHappen } from './WouldHappen'

interface RunDialogProps {
  finding: Schema<'AnyFindingOut'>
  onClose: () => void
}

/** Runs a runbook on a finding: choose it, see exactly what would happen, and only then ask for it. */
export function RunDialog({ finding, onClose }: RunDialogProps) {
  const alert = finding.kind === 'alert'
  const [wanted, want] = useState<Wanted>({
    runbook: '', target: alert ? '' : (finding.resource_id ?? ''), variables: {},
  })
  const asking = bodyOf(finding, wanted)
  const evaluate = useMutation({
    mutationFn: () => api.POST('/api/v1/intents/evaluate', { body: { runbook_id: wanted.runbook, ...asking } }),
  })
  const answer = evaluate.data?.data
  if (answer) {
    return (
      <See
        evaluated={answer} runbook={wanted.runbook} body={asking} onBack={() => evaluate.reset()} onClose={onClose}
      />
    )
  }
  const pointers = Object.keys(wanted.variables).map((name) => `/variables/${name}`)
  return (
    <Dialog
      title="Run a runbook on it" opened onClose={onClose} confirm="Show what would happen" size="xl"
      ready={wanted.runbook !== '' && (alert || wanted.target !== '')} busy={evaluate.isPending} error={evaluate.error}
      fields={['/targets', ...pointers]} onConfirm={() => evaluate.mutate()}
    >
      <Text size="sm">
        Nothing is asked for yet: you see first what would be done, where, and what the gate would say.
      </Text>
      <RunbookChoice
        finding={finding} wanted={wanted} want={want}
        problem={evaluate.error ? asProblem(evaluate.error) : undefined}
      />
    </Dialog>
  )
}

interface Body {
  finding_id?: string
  targets?: string[]
  variables?: Record<string, string>
}

/** What both questions say: an alert names itself, and names where unless somebody else does. */
function bodyOf(finding: Schema<'AnyFindingOut'>, wanted: Wanted): Body {
  const given = Object.entries(wanted.variables).filter(([, value]) => value !== '')
  return {
    ...(finding.kind === 'alert' ? { finding_id: finding.id } : {}),
    ...(wanted.target ? { targets: [wanted.target] } : {}),
    ...(given.length > 0 ? { variables: Object.fromEntries(given) } : {}),
  }
}

interface SeeProps {
  evaluated: Schema<'EvaluationOut'>
  runbook: string
  body: Body
  onBack: () => void
  onClose: () => void
}

/** What would happen, and the button that asks for it. */
function See({ evaluated, runbook, body, onBack, onClose }: SeeProps) {
  const [reason, setReason] = useState('')
  const queries = useQueryClient()
  const run = useMutation({
    mutationFn: () => api.POST('/api/v1/runbooks/{id}/run', {
      params: { path: { id: runbook } }, body: { ...body, intent: reason.trim(), plan_hash: evaluated.plan_hash },
    }),
    onSuccess: () => queries.invalidateQueries({
      predicate: ({ queryKey: [path] }) =>
        typeof path === 'string' && /^\/api\/v1\/(intents|executions|approvals)\b/.test(path),
    }),
  })
  const asked = run.data?.data
  if (asked) return <AskedResult asked={asked} onClose={onClose} />
  const read = readWouldHappen(evaluated)
  const denied = read.verdict === 'deny'
  return (
    <Modal opened onClose={onClose} title="What would happen" size="xl">
      <Stack gap="sm">
        <WouldHappen would={read} hash={evaluated.plan_hash} />
        <Textarea
          label="Why" description="Whoever approves it reads this." autosize minRows={2} maxLength={2000}
          value={reason} onChange={(event) => setReason(event.currentTarget.value)}
          error={run.error ? asProblem(run.error).field('/intent') : undefined}
        />
        {run.error && <Failed problem={asProblem(run.error)} />}
        {denied && <Text size="sm">The gate would refuse it as it stands, so it cannot be asked for from here.</Text>}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onBack}>Back</Button>
          <Button loading={run.isPending} disabled={denied} onClick={() => run.mutate()}>
            {read.verdict === 'allow' ? 'Run it' : 'Ask for its approval'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
