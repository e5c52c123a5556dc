import { Anchor, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import type { RunbookDocument } from '../../logic/runbook'
import { runFigures } from '../../logic/runbookRuns'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Section } from '../../parts/Section'
import { Empty } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { When } from '../../parts/When'
import { Ask } from './Ask'
import { Choose } from './Choose'
import { Refused } from './Refused'
import classes from './runbooks.module.css'
import { Fact } from './Steps'
import type { Choice } from './useChoice'
import { useEvaluation, whyNotAsk } from './useEvaluation'

interface RunProps {
  id: string
  document: RunbookDocument
  choice: Choice
}

/** Asks for a run, and shows those there were. */
export function Run({ id, document, choice }: RunProps) {
  const may = useMay('intents.propose')
  const looking = useEvaluation(id)
  const [asking, ask] = useState(false)
  const problem = looking.error ? asProblem(looking.error) : undefined
  const disabled = document.status === 'disabled' ? 'It is disabled: nobody may run it.' : undefined
  const look = () => looking.mutate(choice, { onSuccess: () => ask(true) })
  return (
    <Stack gap="md">
      <Section title="Ask for a run">
        <Text size="sm" mb="sm">
          The gate is asked first, and you see what would happen before anything is asked for.
        </Text>
        <Choose choice={choice} variables={document.variables} problem={problem} />
        <MayButton
          why={disabled ?? whyNotAsk(may, choice)} mt="md" size="sm" variant="filled" loading={looking.isPending}
          onClick={look}
        >
          Ask for it…
        </MayButton>
        {problem && <div style={{ marginTop: 12 }}><Refused problem={problem} variables={document.variables} /></div>}
      </Section>
      <Runs id={id} />
      <Ask
        id={id} evaluation={asking ? looking.data?.evaluation : undefined} body={looking.data?.body ?? {}}
        onClose={() => ask(false)}
      />
    </Stack>
  )
}

type Execution = Schema<'PageOut_ExecutionOut'>['items'][number]

const columns: Column<Execution>[] = [
  { name: 'State', width: '11rem', cell: (run) => <Status of={run.state} /> },
  { name: 'What', width: 'minmax(9rem, 1fr)', cell: (run) => <Outside>{run.summary}</Outside> },
  { name: 'Asked for', width: '7rem', cell: (run) => <When at={run.created_at} />, from: 480 },
  { name: 'Took', width: '6rem', cell: (run) => <Took ms={run.duration_ms} />, from: 620 },
  { name: 'By', width: '9rem', cell: (run) => <ActorName id={run.initiated_by} />, from: 760 },
  { name: 'Version', width: '4.5rem', cell: (run) => run.runbook_version ?? '–', from: 880 },
]

const Took = ({ ms }: { ms: number | null | undefined }) => (typeof ms === 'number' ? duration(ms) : '–')

function Runs({ id }: { id: string }) {
  const query = useInfiniteQuery(pages('/api/v1/executions', { runbook_id: [id] }, 100))
  const figures = runFigures(query.data?.pages[0]?.items ?? [])
  return (
    <Section
      title="Runs"
      aside={<Anchor component={Link} to={`/executions?runbook_id=${id}`} size="sm">In the list of all</Anchor>}
    >
      {figures.seen > 0 && (
        <dl className={classes.facts} style={{ marginBottom: 12 }}>
          <Fact name={query.hasNextPage ? `Of the last ${figures.seen}` : `Of ${count(figures.seen, 'run')} in all`}>
            {figures.completed} completed and verified, {figures.failed} failed or undone, {figures.stopped} never began
            {figures.open > 0 && `, ${figures.open} open`}
          </Fact>
          {figures.median !== undefined && <Fact name="Half took less than">{duration(figures.median)}</Fact>}
        </dl>
      )}
      <Rows
        label="Runs of this runbook" query={query} columns={columns} id={(run) => run.id}
        to={(run) => `/executions/${run.id}`} height="28rem"
        empty={<Empty title="It never ran">What is asked for stands here, with what became of it.</Empty>}
      />
    </Section>
  )
}
