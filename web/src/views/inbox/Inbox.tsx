import { Anchor, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get, pages } from '../../api/queries'
import { useAccount } from '../../app/session'
import { present } from '../../logic/clock'
import { inOneSentence, readPlan, runsNowhere } from '../../logic/planDocument'
import { mayVote } from '../../logic/votes'
import { ActorName } from '../../parts/ActorName'
import { Entries, Entry } from '../../parts/Entries'
import { Severity, Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Empty, Failed, Loaded } from '../../parts/State'
import { useAll } from '../../parts/useAll'
import { When } from '../../parts/When'

const WEEK_MS = 7 * 86_400_000
const MONTH_MS = 30 * 86_400_000
const HOUR_MS = 3_600_000
/** Rows shown of a kind. */
const FEW = 50

/** The hour after `by` ms from now: what is asked for stays the same question for an hour. */
const hour = (by: number) => new Date(Math.ceil((present() + by) / HOUR_MS) * HOUR_MS).toISOString()

/** What needs whoever is looking: what they can end themselves first, of that what ends soonest. */
export function Inbox() {
  const account = useAccount()
  const approvals = useAll(useInfiniteQuery(pages('/api/v1/approvals', { status: ['pending'] })))
  const stuck = useQuery(get('/api/v1/executions', { params: { query: { state: ['needs_human'], limit: FEW } } }))
  // That is an end: who has seen to it says so nowhere, so it goes with time, as the badge's number does.
  const unfinished = useQuery(get('/api/v1/executions', {
    params: { query: { state: ['rollback_failed'], created_at_from: hour(-MONTH_MS), limit: FEW } },
  }))
  const breakers = useQuery({
    ...get('/api/v1/circuit-breakers', { params: { query: { limit: 1_000 } } }),
    select: (page) => ({ ...page, items: page.items.filter((breaker) => breaker.state !== 'closed') }),
  })
  const exceptions = useQuery(
    get('/api/v1/exceptions', { params: { query: { status: ['approved'], expires_at_before: hour(WEEK_MS), limit: FEW } } }),
  )
  const waiting = (approvals.data ?? []).toSorted((a, b) => a.expires_at.localeCompare(b.expires_at))
  const mine = waiting.filter((approval) => mayVote(account, approval))
  const others = waiting.filter((approval) => !mayVote(account, approval))
  const nothing = approvals.data?.length === 0 &&
    [stuck, unfinished, breakers, exceptions].every((part) => part.data?.items.length === 0)

  return (
    <Page title="Inbox" about="What needs you, and what needs somebody.">
      {nothing && (
        <Empty title="Nothing needs you">
          Alerts, drift and requests that need a person stand here as they come.{' '}
          <Anchor component={Link} to="/welcome">First steps</Anchor>
        </Empty>
      )}
      <Loaded query={approvals} rows={3}>
        {() => mine.length > 0 && (
          <Section title="For your vote">
            <Requests of={mine} />
          </Section>
        )}
      </Loaded>
      <Part title="An end nobody knows: say what became of it" all="/executions?state=needs_human" query={stuck}>
        {(execution) => <Run key={execution.id} execution={execution} />}
      </Part>
      <Part title="The way back failed" all="/executions?state=rollback_failed" query={unfinished}>
        {(execution) => <Run key={execution.id} execution={execution} />}
      </Part>
      <Part title="Breakers that are open" all="/governance?tab=breakers" query={breakers}>
        {(breaker) => (
          <Entry key={breaker.id} to="/governance?tab=breakers" title={`${breaker.scope} ${breaker.scope_id}`}>
            <Status of={breaker.state} />
            <span>{breaker.manual_reason ? <Outside>{breaker.manual_reason}</Outside> : `${breaker.failure_count} failures`}</span>
            <span>tried again <When at={breaker.retry_at} none="when somebody closes it" /></span>
          </Entry>
        )}
      </Part>
      <Part title="Exceptions that end within a week" all="/governance?tab=exceptions" query={exceptions}>
        {(exception) => (
          <Entry key={exception.id} to="/governance?tab=exceptions" title={exception.reason}>
            <span>ends <When at={exception.expires_at} /></span>
          </Entry>
        )}
      </Part>
      {others.length > 0 && (
        <Section title="For the votes of others">
          <Requests of={others} />
        </Section>
      )}
      <Newest />
    </Page>
  )
}

interface PartProps<Row> {
  title: string
  /** Where all of them are. */
  all: string
  query: UseQueryResult<{ items: Row[]; has_next: boolean }>
  children: (row: Row) => ReactNode
}

/** One kind of what needs somebody; not there when nothing does, and never silent when that is not known. */
function Part<Row>({ title, all, query, children }: PartProps<Row>) {
  const failed = query.error && <Failed problem={asProblem(query.error)} retry={() => void query.refetch()} />
  if (!failed && !query.data?.items.length) return null
  return (
    <Section title={title} aside={query.data?.has_next && <Anchor component={Link} to={all} size="sm">All</Anchor>}>
      {failed}
      <Entries>{query.data?.items.map(children)}</Entries>
    </Section>
  )
}

/** Those that end soonest, and how many more there are. */
function Requests({ of }: { of: Schema<'ApprovalOut'>[] }) {
  return (
    <>
      <Entries>{of.slice(0, FEW).map((approval) => <Request key={approval.id} approval={approval} />)}</Entries>
      {of.length > FEW && <Text size="sm" mt="xs">and {of.length - FEW} more, which end later</Text>}
    </>
  )
}

function Request({ approval }: { approval: Schema<'ApprovalOut'> }) {
  const plan = useQuery(get('/api/v1/plans/{id}', { params: { path: { id: approval.plan_id } } }))
  const document = plan.data && readPlan(plan.data.document)
  // The summary of an exception names a procedure; what is asked for stands in its one step.
  const title = document && runsNowhere(document) ? inOneSentence(document) : plan.data?.summary
  const given = approval.votes.filter((vote) => vote.decision === 'approve').length
  return (
    <Entry to={`/approvals/${approval.id}`} title={title ?? 'A plan'}>
      <Tier of={approval.tier} />
      <span>{given} of {approval.min_votes} votes</span>
      <span>
        asked by <ActorName id={approval.requester_id} name={approval.requester_name} />{' '}
        <When at={approval.created_at} />
      </span>
      <span>ends <When at={approval.expires_at} /></span>
    </Entry>
  )
}

function Run({ execution }: { execution: Schema<'ExecutionOut'> }) {
  return (
    <Entry to={`/executions/${execution.id}`} title={execution.summary}>
      <Status of={execution.state} />
      {execution.error_message && <Outside>{execution.error_message}</Outside>}
      <span><When at={execution.started_at ?? execution.created_at} /></span>
    </Entry>
  )
}

/** What came in last and is open, so that the page tells something when nothing waits. */
function Newest() {
  const findings = useInfiniteQuery(pages('/api/v1/findings', { status: ['open'], sort: '-first_seen' }, 8))
  const items = findings.data?.pages[0]?.items ?? []
  return (
    <Section title="Newest findings" aside={<Anchor component={Link} to="/findings" size="sm">All</Anchor>}>
      {findings.error && <Failed problem={asProblem(findings.error)} retry={() => void findings.refetch()} />}
      {findings.data && items.length === 0 && <Text size="sm" className="faint">No finding is open.</Text>}
      <Entries>
        {items.map((finding) => (
          <Entry key={finding.id} to={`/findings/${finding.id}`} title={finding.title}>
            <Severity of={finding.severity} />
            <span>{finding.kind}</span>
            <When at={finding.first_seen} />
          </Entry>
        ))}
      </Entries>
    </Section>
  )
}
