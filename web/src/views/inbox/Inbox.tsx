import { Anchor, Group, Stack, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { get, pages } from '../../api/queries'
import { useAccount } from '../../app/session'
import { mayVote } from '../../logic/votes'
import { Severity, Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './Inbox.module.css'

const WEEK_MS = 7 * 86_400_000

/** What needs whoever is looking: what they can end themselves first. */
export function Inbox() {
  const account = useAccount()
  const approvals = useQuery(get('/api/v1/approvals', { params: { query: { status: ['pending'], limit: 100 } } }))
  const stuck = useQuery(get('/api/v1/executions', { params: { query: { state: ['needs_human'], limit: 50 } } }))
  const unfinished = useQuery(get('/api/v1/executions', { params: { query: { state: ['rollback_failed'], limit: 20 } } }))
  const breakers = useQuery(get('/api/v1/circuit-breakers', { params: { query: { limit: 200 } } }))
  const soon = new Date(Math.ceil((Date.now() + WEEK_MS) / 3_600_000) * 3_600_000).toISOString()
  const exceptions = useQuery(
    get('/api/v1/exceptions', { params: { query: { status: ['approved'], expires_at_before: soon, limit: 50 } } }),
  )
  const parts = [approvals, stuck, unfinished, breakers, exceptions]
  const open = (breakers.data?.items ?? []).filter((breaker) => breaker.state !== 'closed')
  const waiting = approvals.data?.items ?? []
  const mine = waiting.filter((approval) => mayVote(account, approval))
  const others = waiting.filter((approval) => !mayVote(account, approval))
  const nothing =
    parts.every((part) => part.data) &&
    parts.slice(0, 3).every((part) => part.data?.items.length === 0) && open.length === 0 && exceptions.data?.items.length === 0

  return (
    <Page title="Inbox" about="What needs you, and what needs somebody.">
      {nothing && (
        <Empty title="Nothing needs you">
          Alerts, drift and requests that need a person stand here as they come.{' '}
          <Anchor component={Link} to="/welcome">First steps</Anchor>
        </Empty>
      )}
      <Part title="For your vote" shown={mine.length > 0}>
        {mine.map((approval) => <Request key={approval.id} approval={approval} />)}
      </Part>
      <Loaded query={approvals} rows={3}>{() => null}</Loaded>
      <Part title="An end nobody knows: say what became of it" shown={!!stuck.data?.items.length}>
        {stuck.data?.items.map((execution) => <Run key={execution.id} execution={execution} />)}
      </Part>
      <Part title="The way back failed" shown={!!unfinished.data?.items.length}>
        {unfinished.data?.items.map((execution) => <Run key={execution.id} execution={execution} />)}
      </Part>
      <Part title="Breakers that are open" shown={open.length > 0}>
        {open.map((breaker) => (
          <Line key={breaker.id} to="/governance?tab=breakers" title={`${breaker.scope} ${breaker.scope_id}`}>
            <Status of={breaker.state} />
            <span>{breaker.manual_reason ?? `${breaker.failure_count} failures`}</span>
            <span>tried again <When at={breaker.retry_at} none="when somebody closes it" /></span>
          </Line>
        ))}
      </Part>
      <Part title="Exceptions that end within a week" shown={!!exceptions.data?.items.length}>
        {exceptions.data?.items.map((exception) => (
          <Line key={exception.id} to="/governance?tab=exceptions" title={exception.reason}>
            <span>ends <When at={exception.expires_at} /></span>
          </Line>
        ))}
      </Part>
      <Part title="For the votes of others" shown={others.length > 0}>
        {others.map((approval) => <Request key={approval.id} approval={approval} />)}
      </Part>
      <Newest />
    </Page>
  )
}

function Part({ title, shown, children }: { title: string; shown: boolean; children: ReactNode }) {
  if (!shown) return null
  return <Section title={title}><Stack gap={0} component="ul" className={classes.lines}>{children}</Stack></Section>
}

function Line({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  return (
    <li className={classes.line}>
      <Link to={to} className={classes.link}><Outside>{title}</Outside></Link>
      <Group gap="sm" c="var(--faint)" fz="sm">{children}</Group>
    </li>
  )
}

function Request({ approval }: { approval: Schema<'ApprovalOut'> }) {
  const plan = useQuery(get('/api/v1/plans/{id}', { params: { path: { id: approval.plan_id } } }))
  const given = approval.votes.filter((vote) => vote.decision === 'approve').length
  return (
    <Line to={`/approvals/${approval.id}`} title={plan.data?.summary ?? 'A plan'}>
      <Tier of={approval.tier} />
      <span>{given} of {approval.min_votes} votes</span>
      <span>asked <When at={approval.created_at} /></span>
      <span>ends <When at={approval.expires_at} /></span>
    </Line>
  )
}

function Run({ execution }: { execution: Schema<'ExecutionOut'> }) {
  return (
    <Line to={`/executions/${execution.id}`} title={execution.summary}>
      <Status of={execution.state} />
      <span>{execution.error_message}</span>
      <span><When at={execution.started_at ?? execution.created_at} /></span>
    </Line>
  )
}

/** What came in last and is open, so that the page tells something when nothing waits. */
function Newest() {
  const findings = useInfiniteQuery(pages('/api/v1/findings', { status: ['open'], sort: '-first_seen' }, 8))
  const items = findings.data?.pages[0]?.items ?? []
  return (
    <Section title="Newest findings" aside={<Anchor component={Link} to="/findings" size="sm">All</Anchor>}>
      {items.length === 0 && !findings.isPending && <Text size="sm" className="faint">No finding is open.</Text>}
      <Stack gap={0} component="ul" className={classes.lines}>
        {items.map((finding) => (
          <Line key={finding.id} to={`/findings/${finding.id}`} title={finding.title}>
            <Severity of={finding.severity} />
            <span>{finding.kind}</span>
            <When at={finding.first_seen} />
          </Line>
        ))}
      </Stack>
    </Section>
  )
}
