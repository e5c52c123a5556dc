import { useAccount } from '../../app/session'
import { Page } from '../../parts/Page'
import { Empty } from '../../parts/State'

/** What somebody sees who may not read the log: who may. */
export function NotForYou() {
  const { roles } = useAccount()
  return (
    <Page title="Audit" about="The signed log and its proofs.">
      <Empty title="The log is for auditors and administrators">
        Reading it takes the role auditor or admin. You have {roles.length > 0 ? roles.join(', ') : 'no role'}. An
        administrator can give you the role auditor: it sees everything and changes nothing.
      </Empty>
    </Page>
  )
}
