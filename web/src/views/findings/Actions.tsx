import { useState } from 'react'
import type { Schema } from '../../api/client'
import { useMay } from '../../app/session'
import { MayButton } from '../../parts/Sure'
import { AcceptDialog } from './AcceptDialog'
import { RemedyDialog } from './drift/RemedyDialog'
import { EscalateDialog } from './EscalateDialog'
import { RunDialog } from './RunDialog'

/** What can be done about a finding. */
export type ActionName = 'run' | 'revert' | 'codify' | 'accept' | 'escalate'

const ACTIONS: Record<ActionName, { label: string; permission: string }> = {
  run: { label: 'Run a runbook on it', permission: 'intents.propose' },
  revert: { label: 'Revert to the code', permission: 'intents.propose' },
  codify: { label: 'Codify it', permission: 'intents.propose' },
  accept: { label: 'Accept for a while', permission: 'intents.propose' },
  escalate: { label: 'Escalate', permission: 'findings.write' },
}

type Row = Schema<'AnyFindingOut'>

/** The buttons of a finding. */
export function Actions({ finding }: { finding: Row }) {
  const first: ActionName[] = finding.kind === 'drift' ? ['revert', 'codify'] : ['run']
  return [...first, 'accept' as const, 'escalate' as const].map((name, at) => (
    <ActionButton key={name} name={name} finding={finding} main={at === 0} />
  ))
}

/** One of these buttons, with what it opens. Each asks once more. */
export function ActionButton({ name, finding, main = true }: { name: ActionName; finding: Row; main?: boolean }) {
  const [opened, open] = useState(false)
  const { label, permission } = ACTIONS[name]
  const may = useMay(permission)
  const why = may ? notNow(name, finding) : 'This needs the role operator or admin.'
  const props = { finding, onClose: () => open(false) }
  return (
    <>
      <MayButton variant={main ? 'filled' : 'default'} size="sm" why={why} onClick={() => open(true)}>
        {label}
      </MayButton>
      {opened && name === 'run' && <RunDialog {...props} />}
      {opened && name === 'revert' && <RemedyDialog kind="auto_revert" {...props} />}
      {opened && name === 'codify' && <RemedyDialog kind="codify_iac" {...props} />}
      {opened && name === 'accept' && <AcceptDialog {...props} />}
      {opened && name === 'escalate' && <EscalateDialog {...props} />}
    </>
  )
}

/** Why nothing of the kind can be asked for now; the server's answer counts. */
function notNow(name: ActionName, finding: Row): string | undefined {
  if (finding.status === 'fixed' && name !== 'run') return 'The finding is fixed already.'
  if (name === 'run' && finding.kind !== 'alert' && !finding.resource_id) {
    return 'No resource is known that it is about: run the runbook from its own page.'
  }
  return undefined
}
