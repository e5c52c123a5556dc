import { Anchor, List, Stepper, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Failed, Waiting } from '../../parts/State'
import { AddColleague } from './AddColleague'
import { AddEstate } from './AddEstate'
import { ConnectSource } from './ConnectSource'
import { useDemoEstate } from './demoEstate'
import { useDemoHosts } from './demoHosts'
import { firstOpen, hostsThere, type Progress } from './progress'
import { ImportRunbook } from './ImportRunbook'
import { SeeItRun } from './SeeItRun'
import { SendAlert } from './SendAlert'

/**
 * The first run: from nothing to a change that was asked for by an alert, approved by a second
 * person, carried out and proved. Each step is done when the server has what it is about, so the
 * guide goes on where one left. What is shown once, a key and a password, is in the page that made it alone.
 */
export function Welcome() {
  const may = useMay('estate.write')
  const { progress, failed } = useProgress()
  if (!may) {
    return (
      <Page title="First steps">
        <Text>Setting things up needs the role admin. What there is already you find in the navigation.</Text>
      </Page>
    )
  }
  if (failed) {
    return (
      <Page title="First steps">
        <Failed problem={asProblem(failed.error)} retry={() => void failed.refetch()} />
      </Page>
    )
  }
  if (!progress) return <Waiting />
  const active = firstOpen(progress)
  return (
    <Page title="First steps" about="From nothing to a change that was approved, carried out and proved: some five minutes.">
      <Section title="The way">
        <Stepper active={active} orientation="vertical" size="sm" allowNextStepsSelect={false}>
          <Stepper.Step label="Hosts" description="What may be changed"><AddEstate /></Stepper.Step>
          <Stepper.Step label="A source" description="Who tells that something is wrong"><ConnectSource /></Stepper.Step>
          <Stepper.Step label="A runbook" description="What may be done about it"><ImportRunbook /></Stepper.Step>
          <Stepper.Step label="A second person" description="Nobody approves what is their own"><AddColleague /></Stepper.Step>
          <Stepper.Step label="A test alert" description="Something is wrong, as the source would say it"><SendAlert /></Stepper.Step>
          <Stepper.Step label="Approve, and see it run" description="The second person decides"><SeeItRun /></Stepper.Step>
          <Stepper.Completed><Done /></Stepper.Completed>
        </Stepper>
      </Section>
    </Page>
  )
}

interface Asked {
  error: unknown
  refetch: () => unknown
}

/** What is there, or which question about it got no answer. */
function useProgress(): { progress?: Progress; failed?: Asked } {
  const one = { params: { query: { limit: 1 } } }
  const resources = useQuery(get('/api/v1/resources', { params: { query: { limit: 1, kind: ['server'] } } }))
  const sources = useQuery(get('/api/v1/alert-sources'))
  const runbooks = useQuery(get('/api/v1/runbooks', { params: { query: { limit: 1, status: ['active'] } } }))
  const users = useQuery(get('/api/v1/users', { params: { query: { limit: 100 } } }))
  const alerts = useQuery(get('/api/v1/alerts', one))
  const done = useQuery(get('/api/v1/executions', { params: { query: { limit: 1, state: ['completed'] } } }))
  const estate = useDemoEstate()
  const demo = useDemoHosts(estate.data)
  const failed = [resources, sources, runbooks, users, alerts, done, estate, demo]
    .find((one) => one.error && one.data === undefined)
  if (failed) return { failed }
  if (!resources.data || !sources.data || !runbooks.data || !users.data || !alerts.data || !done.data) return {}
  if (demo.data === undefined) return {}
  const approvers = users.data.items.filter((user) => user.roles.includes('approver'))
  const count = (list: { items: unknown[] } | unknown[]) => ('items' in list ? list.items.length : list.length)
  const ran = count(done.data) > 0
  return {
    progress: {
      // What ran once had hosts: one that was taken out since does not send anybody back.
      hosts: ran || hostsThere(count(resources.data) > 0, demo.data),
      source: count(sources.data) > 0,
      runbook: count(runbooks.data) > 0,
      colleague: approvers.length > 0,
      alert: count(alerts.data) > 0,
      ran,
    },
  }
}

function Done() {
  return (
    <>
      <Text mt="md" fw={600}>An alert came in, a plan was made of it, somebody else agreed, it ran, and its end was checked.</Text>
      <List mt="xs" size="sm">
        <List.Item>What it did and its evidence: <Anchor component={Link} to="/executions">Executions</Anchor></List.Item>
        <List.Item>What was learned of it: <Anchor component={Link} to="/risk">Risk</Anchor></List.Item>
        <List.Item>The signed log of it all: <Anchor component={Link} to="/audit">Audit</Anchor></List.Item>
        <List.Item>Your own hosts and sources: <Anchor component={Link} to="/settings?tab=connections">Settings</Anchor></List.Item>
      </List>
    </>
  )
}
