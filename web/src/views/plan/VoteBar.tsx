import { Anchor, Button, Group, Text, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { get } from '../../api/queries'
import { useLive } from '../../app/live'
import { useAccount } from '../../app/session'
import { held, missing, stands, whyNotAlone, whyNotNow } from '../../logic/ballot'
import { count } from '../../logic/words'
import { useNow, When } from '../../parts/When'
import { ApproveDialog } from './ApproveDialog'
import { DenyDialog } from './DenyDialog'
import classes from './Plan.module.css'
import type { Approval, Everything } from './usePlan'
import { useVoteKeys } from './voteKeys'

interface VoteBarProps {
  all: Everything
  approval: Approval
  /** Told what a vote brought about. */
  onSaid: (sentence: string) => void
}

/** The vote, always in reach: approve and deny, or why not, or where it led. */
export function VoteBar({ all, approval, onSaid }: VoteBarProps) {
  const account = useAccount()
  const now = useNow()
  const { connection } = useLive()
  const [asking, ask] = useState<'approve' | 'alone' | 'deny'>()
  const pending = approval.status === 'pending'
  const glasses = useQuery({ ...get('/api/v1/break-glass', { params: { query: { limit: 20 } } }), enabled: pending })
  const glass = held(glasses.data?.items ?? [], account.actor_id, now)
  const whyNotDeny = whyNotNow(account, approval, now)
  const why = whyNotDeny ?? (all.plan.intact ? undefined : 'The plan was altered: it cannot be approved.')
  const whyAlone = whyNotAlone(account, approval, now)
  const alone = glass && whyAlone === undefined && all.plan.intact ? glass : undefined

  useVoteKeys({
    ...(why === undefined ? { a: () => ask('approve') } : alone ? { a: () => ask('alone') } : {}),
    ...(whyNotDeny === undefined ? { d: () => ask('deny') } : {}),
  })

  // Emergency authority that ends while its question is open does not turn it into an ordinary vote.
  const lapsed = asking === 'alone' && !alone
  const close = () => ask(undefined)
  if (!pending) return <Decided all={all} approval={approval} />
  return (
    <div className={classes.bar} role="region" aria-label="Your vote">
      <Group justify="space-between" gap="xs">
        <div style={{ minWidth: 0, flex: '1 1 12rem' }}>
          <Text size="sm" fw={550}>
            {count(missing(approval), 'vote')} missing, ends <When at={approval.expires_at} />
          </Text>
          {why && <Text size="sm">{why}</Text>}
          {lapsed && <Text size="sm" fw={600}>Your emergency authority ended: nothing was approved alone.</Text>}
          {connection === 'away' && <Text size="sm" fw={600}>Not connected: what stands here may be old.</Text>}
        </div>
        <div className={classes.acts}>
          {alone && (
            <Button size="md" color="red" variant="outline" onClick={() => ask('alone')}>Approve alone</Button>
          )}
          <Act label="Deny" hint="d" why={whyNotDeny} color="red" variant="light" onClick={() => ask('deny')} />
          <Act label="Approve" hint="a" why={why} color="teal.8" variant="filled" onClick={() => ask('approve')} />
        </div>
      </Group>
      {(asking === 'approve' || (asking === 'alone' && alone)) && (
        <ApproveDialog
          all={all} approval={approval} glass={asking === 'alone' ? alone : undefined} onClose={close} onSaid={onSaid}
        />
      )}
      {asking === 'deny' && <DenyDialog all={all} approval={approval} onClose={close} onSaid={onSaid} />}
    </div>
  )
}

interface ActProps {
  label: string
  hint: string
  /** Why one may not. */
  why: string | undefined
  color: string
  variant: string
  onClick: () => void
}

function Act({ label, hint, why, color, variant, onClick }: ActProps) {
  return (
    <Tooltip label={why ?? `Key ${hint}`} multiline maw={300}>
      <span>
        <Button
          size="md" color={color} variant={variant} disabled={why !== undefined}
          onClick={onClick} aria-keyshortcuts={hint}
        >
          {label}
        </Button>
      </span>
    </Tooltip>
  )
}

/** Where it led. */
function Decided({ all: { execution, plan }, approval }: { all: Everything; approval: Approval }) {
  const now = useNow()
  return (
    <div className={classes.bar} role="region" aria-label="Your vote">
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={550}>{stands(approval, now)}</Text>
        {execution && execution.plan_id === plan.id && (
          <Anchor component={Link} to={`/executions/${execution.id}`}>To the execution</Anchor>
        )}
      </Group>
    </div>
  )
}
