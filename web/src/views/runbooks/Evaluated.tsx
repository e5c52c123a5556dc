import { List, Stack, Text } from '@mantine/core'
import { verdictInWords, type Evaluation, type GuardAnswer, type Reason } from '../../logic/evaluation'
import { count, words } from '../../logic/words'
import { Status, Tier } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { When } from '../../parts/When'
import { Commands } from './Commands'
import { Note } from './Note'
import classes from './runbooks.module.css'
import { Fact } from './Steps'
import { seconds } from './words'

const COLOURS: Record<string, string> = { allow: 'green', require_approval: 'yellow', deny: 'red' }
const TITLES: Record<string, string> = {
  allow: 'Allowed', require_approval: 'Needs approval', deny: 'Refused',
}

const GUARDS: Record<string, string> = {
  blackout: 'Blackout and maintenance windows',
  rate_limit: 'Rate limits',
  cooldown: 'Cooldowns',
  circuit_breaker: 'Circuit breakers',
  max_targets: 'Number of hosts',
  freshness: 'Age of what is known',
}

/** The verdict, in a word and in a sentence. */
export function Verdict({ evaluation }: { evaluation: Evaluation }) {
  const { verdict } = evaluation
  return (
    <Note color={COLOURS[verdict] ?? 'gray'} title={TITLES[verdict] ?? verdict.replaceAll('_', ' ')}>
      <Text size="sm">{verdictInWords(evaluation)}</Text>
    </Note>
  )
}

/** What the gate would say: the verdict, what it rests on, and every command. */
export function Evaluated({ evaluation }: { evaluation: Evaluation }) {
  return (
    <Stack gap="md">
      <Verdict evaluation={evaluation} />
      <Section title="Risk"><RiskFacts evaluation={evaluation} /></Section>
      <Section title="Why"><Reasons reasons={evaluation.reasons} /></Section>
      <Section title="Guards"><Guards guards={evaluation.guards} /></Section>
      {evaluation.verdict !== 'allow' && (
        <Section title="What would let it run unasked">
          {evaluation.changes.length === 0 ? <Text size="sm">No single change would.</Text> : (
            <>
              <Text size="sm">Any one of these alone:</Text>
              <List size="sm" mt={4}>
                {evaluation.changes.map((change) => <List.Item key={change}>{change}</List.Item>)}
              </List>
            </>
          )}
        </Section>
      )}
      <Section title="What would run"><Where evaluation={evaluation} /><Commands evaluation={evaluation} /></Section>
    </Stack>
  )
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

function RiskFacts({ evaluation }: { evaluation: Evaluation }) {
  const { tier, score, interval, outcomes, irreversible } = evaluation
  return (
    <dl className={classes.facts}>
      {tier && <Fact name="Tier"><Tier of={tier} /></Fact>}
      {score !== undefined && <Fact name="Score">{score.toFixed(3)} of 1</Fact>}
      {interval && (
        <Fact name="Share of failures">
          between {percent(interval.low)} and {percent(interval.high)}, with 90 % probability
        </Fact>
      )}
      {outcomes !== undefined && (
        <Fact name="Stands on">
          {outcomes === 0
            ? 'the prior alone: no outcome of this kind was verified yet'
            : count(outcomes, 'verified outcome')}
        </Fact>
      )}
      <Fact name="Can be undone">
        {irreversible ? 'not wholly: a step that acts has no undo' : 'yes, every step that acts has an undo'}
      </Fact>
    </dl>
  )
}

function Reasons({ reasons }: { reasons: Reason[] }) {
  // What guards say stands below, with those that had nothing against it.
  const said = reasons.filter((reason) => reason.judge !== 'guard')
  if (said.length === 0) return <Text size="sm">Nobody but the guards gave a reason.</Text>
  return (
    <PlainTable
      label="Reasons" rows={said.map((reason, at) => ({ ...reason, at }))} id={(reason) => String(reason.at)}
      columns={[
        { name: 'Who', cell: (reason) => words(reason.judge) },
        { name: 'Says', cell: (reason) => <Status of={reason.verdict} /> },
        {
          name: 'Why',
          cell: (reason) => (
            <><Outside>{reason.message}</Outside> <span className="mono faint">{reason.code}</span></>
          ),
        },
      ]}
    />
  )
}

function Guards({ guards }: { guards: GuardAnswer[] }) {
  if (guards.length === 0) return <Text size="sm">No guard was asked.</Text>
  return (
    <PlainTable
      label="Guards" rows={guards} id={(guard) => guard.guard}
      columns={[
        { name: 'Guard', cell: (guard) => GUARDS[guard.guard] ?? words(guard.guard) },
        { name: 'Says', cell: (guard) => <Status of={guard.verdict} /> },
        {
          name: 'Why',
          cell: (guard) => guard.message
            ? <><Outside>{guard.message}</Outside>{guard.until && <>, until <When at={guard.until} /></>}</>
            : <span className="faint">nothing against it</span>,
        },
      ]}
    />
  )
}

function Where({ evaluation }: { evaluation: Evaluation }) {
  const { targets, parallel, timeout, planHash } = evaluation
  return (
    <dl className={classes.facts} style={{ marginBottom: 12 }}>
      <Fact name={targets.length === 1 ? 'Host' : 'Hosts'}>
        {targets.map((target) => (
          <div key={target.id}>
            <Outside>{target.name}</Outside>{' '}
            <span className="faint">as <Outside mono>{target.reached}</Outside>, {target.environment}</span>
          </div>
        ))}
      </Fact>
      {targets.length > 1 && parallel !== undefined && (
        <Fact name="At a time">{Math.min(parallel, targets.length)}</Fact>
      )}
      {timeout !== undefined && <Fact name="May take">{seconds(timeout)} in all</Fact>}
      <Fact name="Plan"><span className="mono">{planHash}</span></Fact>
    </dl>
  )
}
