import { Alert, Stack, Text } from '@mantine/core'
import { IconAlertOctagon } from '@tabler/icons-react'
import { useState } from 'react'
import { asProblem } from '../../api/problem'
import { readMemory } from '../../logic/decision'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Failed, Waiting } from '../../parts/State'
import { When } from '../../parts/When'
import { Context } from '../risk/Context'
import { RiskOf, Why, WouldDiffer } from '../risk/Judged'
import { Memory } from '../risk/Memory'
import { BeforeAfter } from './BeforeAfter'
import { Bound } from './Bound'
import { Commands } from './Commands'
import { Head } from './Head'
import { Reach } from './Reach'
import { Suspicious } from './Suspicious'
import { called, useEverything, type Approval, type Everything, type Plan } from './usePlan'
import { VoteBar } from './VoteBar'
import { Votes } from './Votes'

/** Everything there is to know of a plan, and the vote, with what decides first at the top. */
export function PlanPage({ plan, approval }: { plan: Plan; approval: Approval | undefined }) {
  const all = useEverything(plan, approval)
  const [said, say] = useState<string>()
  return (
    <Page
      title={<Outside>{called(all)}</Outside>}
      about={
        <>
          Planned <When at={plan.created_at} />
          {plan.version > 1 && `, version ${plan.version}: it was planned again`}
        </>
      }
    >
      {!plan.intact && <Altered />}
      {said && (
        <Alert
          color="teal" variant="light" role="status" title={said}
          withCloseButton closeButtonLabel="Close" onClose={() => say(undefined)}
        />
      )}
      {all.error && (
        <Failed problem={asProblem(all.error)} retry={all.again} />
      )}
      <Head all={all} />
      <Suspicious of={approval?.suspicious ?? plan.suspicious} />
      <Commands all={all} />
      <BeforeAfter all={all} />
      <Reach all={all} />
      <Judged all={all} />
      {approval && <Votes approval={approval} />}
      <Bound all={all} />
      {approval && <VoteBar all={all} approval={approval} onSaid={say} />}
    </Page>
  )
}

function Altered() {
  return (
    <Alert
      color="red" variant="filled" icon={<IconAlertOctagon size={22} />} role="alert"
      title="This plan was altered after it was made"
    >
      <Text size="sm">
        The stored bytes no longer have the hash that was decided on. It will not run. Do not approve it; find out who
        changed the database.
      </Text>
    </Alert>
  )
}

/** Why it was decided as it was: reasons and guards, then the risk with all its parts. */
function Judged({ all }: { all: Everything }) {
  const { decision, record } = all
  if (!decision || !record) {
    if (all.pending) return <Section title="Why"><Waiting rows={4} /></Section>
    // What failed to load is said at the top.
    return all.error ? null : (
      <Section title="Why"><Text size="sm">No decision on this plan is told: another plan took its place.</Text></Section>
    )
  }
  return (
    <>
      <Why title="Why it needs a decision" of={decision} />
      <Section title="Risk">
        <Stack gap="md">
          <RiskOf of={decision} record={record} />
          <Context record={record} />
          <Memory memory={readMemory(decision.memory)} purpose={decision.purpose} />
        </Stack>
      </Section>
      <WouldDiffer of={decision} />
    </>
  )
}
