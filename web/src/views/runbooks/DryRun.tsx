import { Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { asProblem } from '../../api/problem'
import { useMay } from '../../app/session'
import type { RunbookDocument } from '../../logic/runbook'
import { Section } from '../../parts/Section'
import { MayButton } from '../../parts/Sure'
import { Ask } from './Ask'
import { Choose } from './Choose'
import { Evaluated } from './Evaluated'
import { Note } from './Note'
import { Refused } from './Refused'
import type { Choice } from './useChoice'
import { useEvaluation, whyNotAsk } from './useEvaluation'

interface DryRunProps {
  id: string
  document: RunbookDocument
  version: number
  choice: Choice
  /** Whether the editor holds something that is not saved: a dry run is of what is stored. */
  dirty: boolean
}

/** What the gate would say to a run, and every command of it. Nothing is asked for. */
export function DryRun({ id, document, version, choice, dirty }: DryRunProps) {
  const may = useMay('intents.propose')
  const looking = useEvaluation(id)
  const [asking, ask] = useState(false)
  const problem = looking.error ? asProblem(looking.error) : undefined
  const answer = looking.data
  const stale = answer !== undefined && (answer.key !== choice.key || answer.evaluation.runbook.version !== version)
  const why = whyNotAsk(may, choice)
  return (
    <Stack gap="md">
      <Section title="Dry run">
        <Text size="sm" mb="sm">
          The gate is asked what it would say, and shows what would run. Nothing is asked for, nothing runs, nothing is
          written.
        </Text>
        {dirty && (
          <div style={{ marginBottom: 12 }}>
            <Note color="yellow" title="What is in the editor is not saved">
            The dry run is of version {version}, as it is stored.
          </Note>
          </div>
        )}
        <Choose choice={choice} variables={document.variables} problem={problem} />
        <Group mt="md" gap="xs">
          <MayButton
            why={why} size="sm" variant="filled" loading={looking.isPending} onClick={() => looking.mutate(choice)}
          >
            See what would happen
          </MayButton>
          {answer && !stale && (
            <MayButton why={why} size="sm" onClick={() => ask(true)}>Ask for it…</MayButton>
          )}
        </Group>
      </Section>
      {problem && <Refused problem={problem} variables={document.variables} />}
      {stale && (
        <Note color="yellow" title="This is about another choice">Look again to see what would happen now.</Note>
      )}
      {answer && !problem && <Evaluated evaluation={answer.evaluation} />}
      <Ask
        id={id} evaluation={asking && answer ? answer.evaluation : undefined} body={answer?.body ?? {}}
        onClose={() => ask(false)}
      />
    </Stack>
  )
}
